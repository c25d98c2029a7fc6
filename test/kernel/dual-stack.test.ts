import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createNetworkNamespace } from "../../src/kernel/netns/index.ts";
import { parseCidr, parseIpAddress } from "../../src/lib/ip/index.ts";
import { emptyPlan, mergePlans, type NetworkPlan } from "../../src/model/network-state/index.ts";
import { type NodeNetwork, planNodeNetwork, planPodNetwork } from "../../src/model/pod-network/index.ts";
import { inNamespaces } from "./in-namespaces.ts";
import { namespaceFolder } from "./namespace-folder.ts";

const cause = { kind: "Test", name: "dual-stack" };

function node(number: number): NodeNetwork {
  return {
    name: `node-${number}`,
    addresses: [parseIpAddress(`192.168.60.${number}`), parseIpAddress(`fd00:60::${number}`)],
    podCidrs: [parseCidr(`10.244.${number}.0/24`), parseCidr(`fd00:244:${number}::/64`)],
  };
}

/** The planners with both families, without the lab around them: two nodes on one cable, two pods on the first. */
inNamespaces(import.meta.url, (mode) => {
  const dir = mkdtempSync(join(tmpdir(), "netloom-dual-"));
  const { withNetwork, serve, ask, close } = namespaceFolder(dir);
  const plans = new Map<string, NetworkPlan>();
  const reconcile = (name: string): number =>
    withNetwork(name, (network) => network.reconcile(plans.get(name) ?? emptyPlan).operations.length);

  before(async () => {
    const nodes = [node(1), node(2)];
    for (const name of ["node-1", "node-2", "a", "b", "c"]) createNetworkNamespace(`${dir}/${name}`).close();
    const pod = (name: string, number: number, last: number) =>
      planPodNetwork({
        namespace: "default",
        name,
        uid: name,
        addresses: [parseIpAddress(`10.244.${number}.${last}`), parseIpAddress(`fd00:244:${number}::${last}`)],
        netnsPath: `${dir}/${name}`,
        mtuBytes: 1400,
      });
    const pods = { a: pod("a", 1, 2), b: pod("b", 1, 3), c: pod("c", 2, 2) };
    const cable: NetworkPlan["links"] = [
      { type: "veth", name: "eth0", peer: { name: "eth0", netnsPath: `${dir}/node-2` }, cause },
    ];
    for (const [index, own] of nodes.entries()) {
      const addresses = own.addresses.map((address) => ({
        link: "eth0",
        address,
        prefix: address.includes(":") ? 64 : 24,
        cause,
      }));
      const uplink = planNodeNetwork({ node: own, nodes, uplink: "eth0", network: "host-gw", mtuBytes: 1500 });
      const ofPods = index === 0 ? [pods.a.node, pods.b.node] : [pods.c.node];
      const links = index === 0 ? cable : uplink.links;
      plans.set(own.name, mergePlans([{ ...uplink, links, addresses }, ...ofPods]));
    }
    for (const [name, plan] of Object.entries(pods)) plans.set(name, plan.pod);
    // The settings that new links inherit must be there before the cable: its link-local addresses would be in doubt
    // (duplicate address detection) for seconds.
    reconcile("node-2");
    for (const name of plans.keys()) reconcile(name);
    await serve("a", "fd00:244:1::2");
    await serve("a", "10.244.1.2");
    await serve("c", "fd00:244:2::2");
  });

  after(() => {
    close();
    rmSync(dir, { recursive: true });
  });

  describe(`a pod network with both families (${mode})`, () => {
    test("carries IPv6 and IPv4 between pods of one node and of two", async () => {
      assert.equal(await ask("b", "fd00:244:1::2"), "fd00:244:1::3");
      assert.equal(await ask("b", "10.244.1.2"), "10.244.1.3");
      assert.equal(await ask("b", "fd00:244:2::2"), "fd00:244:1::3");
      assert.equal(await ask("node-1", "fd00:244:2::2"), "fd00:60::1");
    });

    test("is idempotent", () => {
      assert.deepEqual([...plans.keys()].map(reconcile), [0, 0, 0, 0, 0]);
    });
  });
});
