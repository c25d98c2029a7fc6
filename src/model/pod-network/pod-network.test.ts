import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { cidrContains, type IpAddress, parseCidr, parseIpAddress } from "../../lib/ip/index.ts";
import { allocateAddress, isPodLinkName, planNodeNetwork, planPodNetwork, podLinkName } from "./index.ts";

describe("planPodNetwork()", () => {
  const plan = planPodNetwork({
    namespace: "default",
    name: "web",
    uid: "0b7c",
    addresses: [parseIpAddress("10.244.1.5"), parseIpAddress("fd00:1::5")],
    netnsPath: "/netns/pod-0b7c",
    mtuBytes: 1400,
  });
  const link = podLinkName("0b7c");
  const cause = { kind: "Pod", namespace: "default", name: "web" };

  test("routes both addresses of a dual-stack pod over one pair of links", () => {
    assert.deepEqual(plan.node, {
      links: [
        {
          type: "veth",
          name: link,
          mac: "ee:ee:ee:ee:ee:ee",
          mtuBytes: 1400,
          peer: { name: "eth0", netnsPath: "/netns/pod-0b7c" },
          cause,
        },
      ],
      addresses: [{ link, address: "fe80::1", prefix: 64, cause }],
      neighbours: [],
      forwardings: [],
      routes: [
        { destination: "10.244.1.5/32", link, cause },
        { destination: "fd00:1::5/128", link, cause },
      ],
      rules: [],
      sysctls: [{ key: `net/ipv4/conf/${link}/proxy_arp`, value: "1", link, cause }],
    });
  });

  test("gives the pod a way out by a gateway it need not ask for", () => {
    assert.deepEqual(plan.pod.addresses, [
      { link: "eth0", address: "10.244.1.5", prefix: 32, cause },
      { link: "eth0", address: "fd00:1::5", prefix: 128, cause },
    ]);
    assert.deepEqual(plan.pod.routes, [
      { destination: "169.254.1.1/32", link: "eth0", cause },
      { destination: "0.0.0.0/0", gateway: "169.254.1.1", link: "eth0", isOnlink: true, cause },
      { destination: "::/0", gateway: "fe80::1", link: "eth0", cause },
    ]);
    assert.deepEqual(
      plan.pod.neighbours.map(({ address, mac }) => `${address} ${mac}`),
      ["169.254.1.1 ee:ee:ee:ee:ee:ee", "fe80::1 ee:ee:ee:ee:ee:ee"],
    );
  });

  test("leaves to the pod what it may set itself", () => {
    assert.deepEqual(
      planPodNetwork({
        namespace: "default",
        name: "web",
        uid: "0b7c",
        addresses: [],
        netnsPath: "/netns/pod-0b7c",
        mtuBytes: 1400,
      }).pod.sysctls.map(({ key }) => key),
      ["net/ipv6/conf/eth0/accept_dad"],
    );
  });

  test("names links in the kernel's 15 characters, in a form of their own", () => {
    fc.assert(
      fc.property(fc.string(), (uid) => {
        const name = podLinkName(uid);
        assert.ok(isPodLinkName(name) && name.length <= 15, name);
        assert.equal(name, podLinkName(uid));
      }),
    );
    for (const name of ["eth0", "virbr0", "veth0", "v", "v012345678", "v01234567890"]) {
      assert.equal(isPodLinkName(name), false, name);
    }
  });
});

describe("planNodeNetwork()", () => {
  const node = (index: number, families: readonly ("4" | "6")[]) => ({
    name: `node-${index}`,
    addresses: families.map((family) => parseIpAddress(family === "4" ? `192.168.60.${index}` : `fd00:60::${index}`)),
    podCidrs: families.map((family) => parseCidr(family === "4" ? `10.244.${index}.0/24` : `fd00:${index}::/64`)),
  });
  const hostGateways = { uplink: "eth0", network: "host-gw", mtuBytes: 1500 } as const;
  const routes = (own: ReturnType<typeof node>, others: readonly ReturnType<typeof node>[]): readonly string[] =>
    planNodeNetwork({ node: own, nodes: [own, ...others], ...hostGateways }).routes.map(
      ({ destination, gateway = "unreachable" }) => `${destination} ${gateway}`,
    );

  test("routes each other node's pods by that node, per family, and keeps its own from leaving", () =>
    assert.deepEqual(routes(node(1, ["4", "6"]), [node(2, ["4", "6"]), node(3, ["4"])]), [
      "10.244.1.0/24 unreachable",
      "fd00:1::/64 unreachable",
      "10.244.2.0/24 192.168.60.2",
      "fd00:2::/64 fd00:60::2",
      "10.244.3.0/24 192.168.60.3",
    ]));

  test("forwards only the families it has", () => {
    const keys = (families: readonly ("4" | "6")[]): readonly string[] =>
      planNodeNetwork({ node: node(1, families), nodes: [], ...hostGateways }).sysctls.map(({ key }) => key);
    assert.ok(keys(["4"]).every((key) => key.startsWith("net/ipv4/")));
    assert.ok(keys(["6"]).every((key) => key.startsWith("net/ipv6/")));
    assert.ok(keys(["4"]).includes("net/ipv4/ip_forward"));
    assert.ok(keys(["6"]).includes("net/ipv6/conf/all/forwarding"));
  });

  test("names the node behind each route", () => {
    const plan = planNodeNetwork({ node: node(1, ["4"]), nodes: [node(1, ["4"]), node(2, ["4"])], ...hostGateways });
    assert.deepEqual(
      plan.routes.map(({ cause }) => cause.name),
      ["node-1", "node-2"],
    );
  });
});

describe("planNodeNetwork() with VXLAN", () => {
  const families = {
    IPv4: (index: number) => ({
      addresses: [parseIpAddress(`192.168.60.${index}`)],
      podCidrs: [parseCidr(`10.244.${index}.0/24`)],
    }),
    IPv6: (index: number) => ({
      addresses: [parseIpAddress(`fd00:60::${index}`)],
      podCidrs: [parseCidr(`fd00:${index}::/64`)],
    }),
    both: (index: number) => ({
      // In this order some nodes report them.
      addresses: [...families.IPv6(index).addresses, ...families.IPv4(index).addresses],
      podCidrs: [...families.IPv4(index).podCidrs, ...families.IPv6(index).podCidrs],
    }),
  };
  const plan = (family: keyof typeof families) => {
    const [own, other] = [1, 12].map((index) => ({ name: `node-${index}`, ...families[family](index) }));
    assert.ok(own !== undefined && other !== undefined);
    return planNodeNetwork({ node: own, nodes: [own, other], uplink: "eth0", network: "vxlan", mtuBytes: 1500 });
  };
  const cause = { kind: "Node", name: "node-12" };

  test("leads to the pods of another node through its end, known by route, neighbour and forwarding entry", () => {
    const { links, addresses, neighbours, forwardings, routes } = plan("IPv4");
    assert.deepEqual(links[1], {
      type: "vxlan",
      name: "overlay1",
      mac: "02:01:c0:a8:3c:01",
      mtuBytes: 1450,
      vxlan: { vni: 1, port: 4789, local: "192.168.60.1" },
      cause: { kind: "Node", name: "node-1" },
    });
    assert.deepEqual(
      addresses.map(({ link, address, prefix }) => `${address}/${prefix} ${link}`),
      ["10.244.1.0/32 overlay1"],
    );
    const mac = "02:01:c0:a8:3c:0c";
    assert.deepEqual(neighbours, [{ link: "overlay1", address: "10.244.12.0", mac, cause }]);
    assert.deepEqual(forwardings, [{ link: "overlay1", mac, remote: "192.168.60.12", cause }]);
    assert.deepEqual(routes.slice(1), [
      { destination: "10.244.12.0/24", gateway: "10.244.12.0", link: "overlay1", isOnlink: true, cause },
    ]);
  });

  test("carries both families of a dual-stack cluster over one end, between IPv4 addresses", () => {
    const { links, neighbours, forwardings, routes, sysctls } = plan("both");
    assert.equal(links[1]?.mtuBytes, 1450);
    assert.deepEqual(
      neighbours.map(({ address, mac }) => `${address} ${mac}`),
      ["10.244.12.0 02:01:c0:a8:3c:0c", "fd00:12:: 02:01:c0:a8:3c:0c"],
    );
    assert.deepEqual(
      forwardings.map(({ remote }) => remote),
      ["192.168.60.12"],
    );
    assert.deepEqual(
      routes.map(({ destination, gateway = "unreachable" }) => `${destination} ${gateway}`),
      ["10.244.1.0/24 unreachable", "fd00:1::/64 unreachable", "10.244.12.0/24 10.244.12.0", "fd00:12::/64 fd00:12::"],
    );
    assert.ok(!sysctls.some(({ key, value }) => key.endsWith("disable_ipv6") && value !== "0"));
  });

  test("leaves less of a packet to the pods where nodes have IPv6 addresses only", () => {
    const { links, forwardings } = plan("IPv6");
    assert.equal(links[1]?.mtuBytes, 1430);
    assert.deepEqual(
      forwardings.map(({ remote }) => remote),
      ["fd00:60::12"],
    );
  });
});

describe("allocateAddress()", () => {
  const podCidr = parseCidr("10.244.1.0/29");

  /** Allocates and releases as `steps` say (true: allocate), and returns what was given out. */
  function play(steps: readonly boolean[]): readonly IpAddress[] {
    const held: IpAddress[] = [];
    const given: IpAddress[] = [];
    for (const isAllocation of steps) {
      if (!isAllocation) held.shift();
      else if (held.length < 5) {
        const address = allocateAddress({ podCidr, used: new Set(held), last: given.at(-1) });
        assert.ok(!held.includes(address), `${address} is in use`);
        held.push(address);
        given.push(address);
      }
    }
    return given;
  }

  test("starts at .2, goes round and leaves out the broadcast address", () =>
    assert.deepEqual(play([true, false, true, false, true, false, true, false, true, false, true]), [
      "10.244.1.2",
      "10.244.1.3",
      "10.244.1.4",
      "10.244.1.5",
      "10.244.1.6",
      "10.244.1.2",
    ]));

  test("never gives out one in use, nor one outside of the usable range, nor one just given back", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 60 }), (steps) => {
        const given = play(steps);
        for (const [position, address] of given.entries()) {
          assert.ok(cidrContains(podCidr, address));
          assert.ok(!["10.244.1.0", "10.244.1.1", "10.244.1.7"].includes(address), address);
          assert.notEqual(address, given[position + 1]);
        }
      }),
    );
  });

  test("says that a range is used up, and works in ranges of any size", () => {
    const used = new Set(["2", "3", "4", "5", "6"].map((last) => parseIpAddress(`10.244.1.${last}`)));
    assert.throws(() => allocateAddress({ podCidr, used, last: undefined }), {
      code: "NoFreeAddress",
      message: /^Cannot allocate a pod address: all 5 of 10\.244\.1\.0\/29 are in use/,
    });
    assert.throws(() => allocateAddress({ podCidr: parseCidr("10.0.0.0/32"), used: new Set(), last: undefined }), {
      code: "NoFreeAddress",
    });
    const wide = parseCidr("fd00::/64");
    assert.equal(allocateAddress({ podCidr: wide, used: new Set(), last: undefined }), "fd00::2");
    assert.equal(
      allocateAddress({ podCidr: wide, used: new Set(), last: parseIpAddress("fd00::ffff:ffff:ffff:ffff") }),
      "fd00::2",
    );
  });

  test("starts anew when the last address is of another range", () =>
    assert.equal(allocateAddress({ podCidr, used: new Set(), last: parseIpAddress("10.9.9.9") }), "10.244.1.2"));
});
