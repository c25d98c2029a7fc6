import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NodeConfig } from "../cluster-config.ts";
import { planLan, planNodeCable, planNodeUplink, planOutside } from "./index.ts";

const node: NodeConfig = {
  name: "node-1",
  addresses: ["192.168.60.11"],
  podCidrs: ["10.244.1.0/24"],
  loopbackAddress: "127.60.0.1",
};
const config: Parameters<typeof planLan>[0] = {
  name: "test",
  nodes: [node],
  nodeCidrs: ["192.168.60.0/24"],
  controlPlaneAddresses: ["192.168.60.1"],
  outsideCidrs: ["192.168.61.0/24"],
  outsideRouterAddresses: ["192.168.61.1"],
  outsideAddresses: ["192.168.61.2"],
};

describe("the plan of the lab's network", () => {
  test("joins node network and outside in the router, with pod routes for its own processes only", () => {
    const lan = planLan(config, "/netns/outside");
    assert.deepEqual(
      lan.addresses.map(({ link, address, prefix }) => `${link} ${address}/${prefix}`),
      ["lan0 192.168.60.1/24", "outside 192.168.61.1/24"],
    );
    assert.deepEqual(
      lan.routes.map(({ destination, gateway, table }) => ({ destination, gateway, table })),
      [
        { destination: "10.244.1.0/24", gateway: "192.168.60.11", table: 100 },
        { destination: "0.0.0.0/0", gateway: undefined, table: 253 },
      ],
    );
    assert.deepEqual(
      lan.rules.map(({ inLink, table }) => ({ inLink, table })),
      [{ inLink: "lo", table: 100 }],
    );
  });

  test("plugs a node into the bridge with a MAC that tells its address", () => {
    const [cable] = planNodeCable(node, "/netns/node-1").links;
    assert.deepEqual(cable, {
      type: "veth",
      name: "node-1",
      master: "lan0",
      peer: { name: "eth0", netnsPath: "/netns/node-1", mac: "02:00:c0:a8:3c:0b" },
      cause: { kind: "Node", name: "node-1" },
    });
  });

  test("finds a link name for any node name", () => {
    for (const name of ["lan0", "outside", "ip-10-0-0-1.eu-central-1.compute.internal"]) {
      const [cable] = planNodeCable({ ...node, name }, "/netns/x").links;
      assert.match(cable?.name ?? "", /^n[0-9a-f]{10}$/);
    }
  });

  test("sends what a node or the outside does not know to the router", () => {
    const routes = [planNodeUplink(config, node), planOutside(config)].flatMap((plan) => plan.routes);
    assert.deepEqual(
      routes.map(({ destination, gateway }) => `${destination} ${gateway ?? ""}`),
      ["0.0.0.0/0 192.168.60.1", "0.0.0.0/0 192.168.61.1"],
    );
  });
});

describe("the plan of a dual-stack lab's network", () => {
  const dualNode: NodeConfig = {
    name: "node-1",
    addresses: ["fd00:60::11", "192.168.60.11"],
    podCidrs: ["fd00:244:1::/64", "10.244.1.0/24"],
    loopbackAddress: "127.60.0.1",
  };
  const dual: Parameters<typeof planLan>[0] = {
    name: "test",
    nodes: [dualNode],
    nodeCidrs: ["fd00:60::/64", "192.168.60.0/24"],
    controlPlaneAddresses: ["fd00:60::1", "192.168.60.1"],
    outsideCidrs: ["fd00:61::/64", "192.168.61.0/24"],
    outsideRouterAddresses: ["fd00:61::1", "192.168.61.1"],
    outsideAddresses: ["fd00:61::2", "192.168.61.2"],
  };

  test("routes and rules of both families lead the same ways, and IPv6 has the rule that the kernel lacks", () => {
    const lan = planLan(dual, "/netns/outside");
    assert.deepEqual(
      lan.addresses.map(({ link, address, prefix }) => `${link} ${address}/${prefix}`),
      ["lan0 fd00:60::1/64", "lan0 192.168.60.1/24", "outside fd00:61::1/64", "outside 192.168.61.1/24"],
    );
    assert.deepEqual(
      lan.routes.map(({ destination, gateway = "nowhere", table }) => `${destination} ${gateway} ${table}`),
      [
        "fd00:244:1::/64 fd00:60::11 100",
        "10.244.1.0/24 192.168.60.11 100",
        "::/0 nowhere 253",
        "0.0.0.0/0 nowhere 253",
      ],
    );
    assert.deepEqual(
      lan.rules.map(({ family, priority, inLink, table }) => `${family} ${priority} ${inLink || "any"} ${table}`),
      ["IPv6 100 lo 100", "IPv6 32767 any 253", "IPv4 100 lo 100"],
    );
  });

  test("a node and the outside have a way out per family, and settings before their link comes up", () => {
    for (const plan of [planNodeUplink(dual, dualNode), planOutside(dual)]) {
      assert.deepEqual(
        plan.routes.map(({ destination }) => destination),
        ["::/0", "0.0.0.0/0"],
      );
      assert.ok(plan.sysctls.some(({ key, value }) => key === "net/ipv6/conf/default/accept_dad" && value === "0"));
      assert.ok(plan.sysctls.every(({ link }) => link === undefined));
    }
    assert.deepEqual(planOutside(config).sysctls, []);
  });
});
