import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseCidr, parseIpAddress } from "../../lib/ip/index.ts";
import { diffNetwork, emptyPlan, emptyState, type NetworkPlan, type NetworkState, operationText } from "./index.ts";

const cause = { kind: "Pod", namespace: "default", name: "web" };
const address = parseIpAddress("10.244.1.1");
const plan: NetworkPlan = {
  links: [
    { type: "loopback", name: "lo", cause },
    { type: "bridge", name: "br0", mac: "02:00:00:00:00:01", cause },
    { type: "veth", name: "v1", mtuBytes: 1400, master: "br0", peer: { name: "eth0", netnsPath: "/netns/web" }, cause },
    { type: "given", name: "eth0", cause },
  ],
  addresses: [
    { link: "br0", address, prefix: 24, cause },
    { link: "eth0", address, prefix: 32, cause },
  ],
  neighbours: [{ link: "br0", address: parseIpAddress("10.244.1.9"), mac: "ee:ee:ee:ee:ee:ee", cause }],
  forwardings: [],
  routes: [
    { destination: parseCidr("10.244.1.7/32"), link: "v1", cause },
    { destination: parseCidr("10.244.2.0/24"), link: "eth0", gateway: address, cause },
    { destination: parseCidr("10.244.1.0/24"), cause },
  ],
  rules: [{ family: "IPv4", priority: 100, inLink: "lo", table: 100, cause }],
  sysctls: [
    { key: "net/ipv4/conf/v1/proxy_arp", value: "1", link: "v1", cause },
    { key: "net/ipv4/ip_forward", value: "1", cause },
  ],
};
const link = { mac: "", alias: "Pod default/web", master: "", isUp: true, mtuBytes: 1500 };
const planned: NetworkState = {
  links: [
    { ...link, name: "lo", kind: "", alias: "", mtuBytes: 65_536 },
    { ...link, name: "br0", kind: "bridge", mac: "02:00:00:00:00:01" },
    { ...link, name: "v1", kind: "veth", mtuBytes: 1400, master: "br0" },
    { ...link, name: "eth0", kind: "veth" },
  ],
  addresses: plan.addresses.map((entry) => ({ ...entry, isOurs: true })),
  neighbours: plan.neighbours.map((entry) => ({ ...entry, isOurs: true })),
  forwardings: [],
  routes: plan.routes.map((entry) => ({ ...entry, isOnlink: false, isOurs: true })),
  rules: plan.rules.map((entry) => ({ ...entry, isOurs: true })),
  sysctls: new Map(plan.sysctls.map(({ key, value }) => [key, value])),
};

function texts(from: NetworkPlan, state: NetworkState, ownsLink?: (name: string) => boolean): readonly string[] {
  return diffNetwork(from, state, ownsLink).operations.map(operationText);
}

describe("diffNetwork()", () => {
  test("finds nothing to do where the kernel has what is planned", () =>
    assert.deepEqual(diffNetwork(plan, planned), { operations: [], missingLinks: [] }));

  test("orders what a kernel needs in order, and leaves out what hangs on links that others make", () => {
    const fresh = { ...emptyState, links: planned.links.slice(0, 1).map((lo) => ({ ...lo, isUp: false })) };
    assert.deepEqual(diffNetwork(plan, fresh).missingLinks, ["eth0"]);
    assert.deepEqual(texts(plan, fresh), [
      "set-sysctl net/ipv4/ip_forward=1",
      "change-link lo isUp",
      "create-link br0",
      "create-link v1",
      "set-sysctl net/ipv4/conf/v1/proxy_arp=1",
      "add-address 10.244.1.1/24 on br0",
      "set-neighbour 10.244.1.9 on br0",
      "set-route 10.244.1.7/32",
      "set-route 10.244.1.0/24",
      "add-rule 100",
    ]);
  });

  test("touches only what differs", () => {
    const changed: NetworkState = {
      ...planned,
      links: planned.links.map((entry) =>
        entry.name === "v1" ? { ...entry, isUp: false, master: "", mtuBytes: 1500 } : entry,
      ),
      neighbours: planned.neighbours.map((entry) => ({ ...entry, mac: "00:00:00:00:00:00" })),
      routes: planned.routes.map((entry) => (entry.gateway === undefined ? entry : { ...entry, link: "br0" })),
      sysctls: new Map([...planned.sysctls, ["net/ipv4/ip_forward", "0"]]),
    };
    assert.deepEqual(texts(plan, changed), [
      "set-sysctl net/ipv4/ip_forward=1",
      "change-link v1 isUp,mtuBytes,master",
      "set-neighbour 10.244.1.9 on br0",
      "set-route 10.244.2.0/24",
    ]);
  });

  test("leaves out optional settings that the kernel does not have, but not those of a link to be made", () => {
    const optional = { key: "net/ipv6/conf/v1/disable_ipv6", value: "1", link: "v1", isOptional: true, cause } as const;
    const withOptional = { ...plan, sysctls: [...plan.sysctls, optional] };
    assert.deepEqual(texts(withOptional, planned), []);
    const other = { ...planned, sysctls: new Map([...planned.sysctls, [optional.key, "0"]]) };
    assert.deepEqual(texts(withOptional, other), ["set-sysctl net/ipv6/conf/v1/disable_ipv6=1"]);
    const fresh = { ...planned, links: planned.links.filter(({ name }) => name !== "v1") };
    assert.ok(texts(withOptional, fresh).includes("set-sysctl net/ipv6/conf/v1/disable_ipv6=1"));
  });

  test("removes what is ours and no longer planned, before anything is added", () =>
    assert.deepEqual(texts({ ...emptyPlan, links: plan.links }, planned), [
      "delete-rule 100",
      "delete-route 10.244.1.7/32",
      "delete-route 10.244.2.0/24",
      "delete-route 10.244.1.0/24",
      "delete-neighbour 10.244.1.9 on br0",
      "delete-address 10.244.1.1/24 on br0",
      "delete-address 10.244.1.1/32 on eth0",
    ]));

  test("leaves alone what others have set", () => {
    const foreign = <T extends { readonly isOurs: boolean }>(entries: readonly T[]): readonly T[] =>
      entries.map((entry) => ({ ...entry, isOurs: false }));
    const state: NetworkState = {
      ...planned,
      addresses: foreign(planned.addresses),
      neighbours: foreign(planned.neighbours),
      routes: foreign(planned.routes),
      rules: foreign(planned.rules),
    };
    assert.deepEqual(texts(emptyPlan, state), []);
  });

  test("removes links only where it owns them", () =>
    assert.deepEqual(
      texts(emptyPlan, { ...emptyState, links: planned.links }, (name) => name.startsWith("v")),
      ["delete-link v1"],
    ));

  test("makes a link anew that has another driver", () =>
    assert.deepEqual(
      texts(
        { ...emptyPlan, links: plan.links.slice(1, 2) },
        { ...emptyState, links: [{ ...link, name: "br0", kind: "dummy" }] },
      ),
      ["delete-link br0", "create-link br0"],
    ));

  describe("with a VXLAN link", () => {
    const vxlan = { vni: 1, port: 4789, local: address };
    const entry = { link: "overlay1", mac: "02:01:00:00:00:02", remote: parseIpAddress("192.168.60.2") };
    const overlay: NetworkPlan = {
      ...emptyPlan,
      links: [{ type: "vxlan", name: "overlay1", vxlan, cause }],
      forwardings: [{ ...entry, cause }],
    };
    const present: NetworkState = {
      ...emptyState,
      links: [{ ...link, name: "overlay1", kind: "vxlan", vxlan: { ...vxlan, isLearning: false } }],
      forwardings: [entry],
    };

    test("finds nothing to do where it is as planned", () => assert.deepEqual(texts(overlay, present), []));

    test("makes it before its forwarding entries", () =>
      assert.deepEqual(texts(overlay, emptyState), [
        "create-link overlay1",
        "set-forwarding 02:01:00:00:00:02 to 192.168.60.2 on overlay1",
      ]));

    test("makes it anew where it has other settings, or learns", () => {
      for (const other of [{ vni: 2 }, { port: 8472 }, { local: undefined }, { isLearning: true }]) {
        const links = present.links.map((one) => ({ ...one, vxlan: { ...vxlan, isLearning: false, ...other } }));
        assert.deepEqual(texts(overlay, { ...present, links }), ["delete-link overlay1", "create-link overlay1"]);
      }
    });

    test("replaces an entry that leads elsewhere, and removes those that nobody planned from this link only", () => {
      const elsewhere = { ...entry, remote: parseIpAddress("192.168.60.9") };
      const extra = { ...entry, mac: "00:00:00:00:00:00" };
      assert.deepEqual(
        texts(overlay, { ...present, forwardings: [elsewhere, extra, { ...extra, link: "flannel.1" }] }),
        [
          "delete-forwarding 00:00:00:00:00:00 to 192.168.60.2 on overlay1",
          "set-forwarding 02:01:00:00:00:02 to 192.168.60.2 on overlay1",
        ],
      );
    });
  });
});
