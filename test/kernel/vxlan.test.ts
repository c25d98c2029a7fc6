import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { createPodNetwork, type PodNetwork } from "../../src/components/cni/index.ts";
import { createLabNetwork } from "../../src/components/lab-network/index.ts";
import { createNetworkNamespace, openNetworkNamespace } from "../../src/kernel/netns/index.ts";
import { openNft } from "../../src/kernel/nftables/index.ts";
import { FakeClock } from "../../src/machinery/fake-clock.ts";
import { silentLogger } from "../../src/machinery/log.ts";
import { createNodeList } from "../../src/machinery/node-list.ts";
import { type ClusterConfig, clusterPaths, type NodeConfig } from "../../src/model/cluster-config.ts";
import type { NetworkOperation, NetworkState } from "../../src/model/network-state/index.ts";
import { inNamespaces } from "./in-namespaces.ts";
import { labConfig } from "./lab-config.ts";
import { namespaceFolder } from "./namespace-folder.ts";

/** Counts what reaches node-2, as it comes in. */
const counters = `table ip seen {
  counter wrapped {}
  counter bare {}
  counter unwrapped {}
  chain arriving {
    type filter hook prerouting priority -300;
    iifname eth0 udp dport 4789 counter name wrapped
    iifname eth0 ip saddr 10.244.0.0/16 counter name bare
    iifname overlay1 ip saddr 10.244.0.0/16 counter name unwrapped
  }
}`;

inNamespaces(import.meta.url, (mode) => {
  const dir = mkdtempSync(join(tmpdir(), "netloom-vxlan-"));
  const config: ClusterConfig = { ...labConfig(dir), network: "vxlan" };
  const { netns } = clusterPaths(config);
  const { withNamespace, withNetwork, state, serve, connect, ask, close } = namespaceFolder(netns);
  const clock = new FakeClock();
  const stop = new AbortController();
  const running: Promise<void>[] = [];
  const nodeList = createNodeList(config.nodes);
  const repairs: string[] = [];

  /** What an administrator does by hand. */
  const tamper = (operations: readonly NetworkOperation[]): void =>
    withNetwork("node-1", (network) => network.apply(operations));
  const nft = (name: string, command: string): string =>
    withNamespace(name, (namespace) => {
      const handle = openNft({ namespace, toolsDir: config.toolsDir });
      try {
        return handle.run(command);
      } finally {
        handle.close();
      }
    });
  const packetsSeen = (counter: string): number =>
    Number(/packets (\d+)/.exec(nft("node-2", `list counter ip seen ${counter}`))?.[1]);
  const startNode = (node: NodeConfig): PodNetwork => {
    const network = createPodNetwork({
      config,
      node,
      nodes: nodeList,
      nodeNamespace: openNetworkNamespace(`${netns}/${node.name}`),
      stateDir: `${config.stateDir}/${node.name}`,
      onRepair: (what) => repairs.push(...what),
      log: silentLogger,
      clock,
    });
    running.push(network.run(stop.signal));
    return network;
  };

  before(async () => {
    createNetworkNamespace(`${netns}/lan`).close();
    const lab = createLabNetwork({ config, nodes: config.nodes, ownsLan: true, log: silentLogger, clock });
    running.push(lab.run(stop.signal));
    await lab.ready;
    const networks = config.nodes.map(startNode);
    await Promise.all(networks.map(({ ready }) => ready));
    await networks[0]?.attach({ namespace: "default", name: "a", uid: "a" });
    await networks[1]?.attach({ namespace: "default", name: "c", uid: "c" });
    await serve("pod-a", "10.244.1.2");
    await serve("pod-c", "10.244.2.2", (remote) => remote.padEnd(1_000_000, "."));
    nft("node-2", counters);
  });

  after(async () => {
    stop.abort();
    await Promise.all(running);
    close();
    rmSync(dir, { recursive: true });
  });

  describe(`pod network through VXLAN (${mode})`, () => {
    test("carries packets between pods of two nodes wrapped, and only so, without changing their source", async () => {
      assert.equal(await ask("pod-c", "10.244.1.2"), "10.244.2.2");
      const answer = await buffer(await connect("pod-a", "10.244.2.2"));
      assert.match(answer.toString(), /^10\.244\.1\.2\.+$/);
      // A megabyte in packets of the pods' full size.
      assert.equal(answer.length, 1_000_000);
      assert.equal(packetsSeen("bare"), 0);
      assert.ok(packetsSeen("unwrapped") > 0);
      assert.equal(packetsSeen("wrapped"), packetsSeen("unwrapped"));
    });

    test("gives pods what the node's link has, less what wrapping takes", () => {
      const mtuOf = (name: string, link: string): number | undefined =>
        state(name).links.find((one) => one.name === link)?.mtuBytes;
      assert.deepEqual(
        [mtuOf("node-1", "eth0"), mtuOf("node-1", "overlay1"), mtuOf("pod-a", "eth0"), mtuOf("pod-c", "eth0")],
        [1500, 1450, 1450, 1450],
      );
    });

    test("lets nodes reach pods of other nodes from their own end, and the control plane as ever", async () => {
      assert.equal(await ask("node-2", "10.244.1.2"), "10.244.2.0");
      assert.equal(await ask("lan", "10.244.1.2"), "192.168.60.1");
    });

    test("learns nothing, and marks what it has set", () => {
      const { links, routes, neighbours, forwardings } = state("node-1");
      const end = links.find(({ name }) => name === "overlay1");
      assert.deepEqual(end?.vxlan, { vni: 1, port: 4789, local: "192.168.60.11", isLearning: false });
      assert.equal(end?.alias, "Node node-1");
      assert.ok(routes.find(({ destination }) => destination === "10.244.2.0/24")?.isOurs);
      assert.ok(neighbours.find(({ link }) => link === "overlay1")?.isOurs);
      assert.deepEqual(forwardings, [{ link: "overlay1", mac: "02:01:c0:a8:3c:0c", remote: "192.168.60.12" }]);
    });

    const mac = "02:01:c0:a8:3c:0c";
    const forwarding = { link: "overlay1", mac, remote: "192.168.60.12" } as NetworkState["forwardings"][number];
    const neighbour = { link: "overlay1", address: "10.244.2.0", mac } as NetworkState["neighbours"][number];
    const cause = { kind: "Cluster", name: "by hand" };
    const damages: readonly (readonly [what: string, operations: readonly NetworkOperation[], told: string])[] = [
      ["its link is deleted", [{ type: "delete-link", name: "overlay1" }], "create-link overlay1"],
      [
        "its link gets another MTU",
        [{ type: "change-link", name: "overlay1", change: { mtuBytes: 1300 } }],
        "change-link overlay1 mtuBytes",
      ],
      [
        "a forwarding entry is deleted",
        [{ type: "delete-forwarding", forwarding }],
        `set-forwarding ${mac} to 192.168.60.12 on overlay1`,
      ],
      [
        "a forwarding entry leads elsewhere",
        [
          {
            type: "set-forwarding",
            forwarding: { ...forwarding, remote: "192.168.60.99" as typeof forwarding.remote, cause },
          },
        ],
        `set-forwarding ${mac} to 192.168.60.12 on overlay1`,
      ],
      ["a neighbour is deleted", [{ type: "delete-neighbour", neighbour }], "set-neighbour 10.244.2.0 on overlay1"],
      [
        "a neighbour has another MAC",
        [{ type: "set-neighbour", neighbour: { ...neighbour, mac: "02:01:00:00:00:99", cause } }],
        "set-neighbour 10.244.2.0 on overlay1",
      ],
    ];
    for (const [what, operations, told] of damages) {
      test(`is as planned again a moment after ${what}, and says so`, async () => {
        const former = state("node-1");
        repairs.length = 0;
        tamper(operations);
        await clock.advance(1000);
        // A link takes its addresses and routes with it: they are missed in the next look.
        await clock.advance(1000);
        assert.ok(repairs.includes(told), repairs.join("; "));
        const { links, ...rest } = state("node-1");
        const { links: linksBefore, ...restBefore } = former;
        assert.deepEqual(rest, restBefore);
        assert.deepEqual(
          links.map(({ name, mtuBytes, vxlan }) => ({ name, mtuBytes, vxlan })).toSorted(byName),
          linksBefore.map(({ name, mtuBytes, vxlan }) => ({ name, mtuBytes, vxlan })).toSorted(byName),
        );
        assert.equal(await ask("pod-c", "10.244.1.2"), "10.244.2.2");
      });
    }

    test("follows nodes that come and go, which is no repair", async () => {
      await clock.advance(1000);
      repairs.length = 0;
      const added: NodeConfig = {
        name: "node-3",
        addresses: ["192.168.60.13"],
        podCidrs: ["10.244.3.0/24"],
        loopbackAddress: "127.60.0.3",
      };
      const ways = (): readonly string[] => {
        const { routes, neighbours, forwardings } = state("node-1");
        return [
          ...routes.filter(({ link }) => link === "overlay1").map(({ destination }) => destination),
          ...neighbours.filter(({ link }) => link === "overlay1").map(({ address }) => address),
          ...forwardings.map(({ remote }) => remote),
        ];
      };
      const present = ["10.244.2.0/24", "10.244.2.0", "192.168.60.12"];
      assert.deepEqual(ways(), present);
      nodeList.set([...config.nodes, added]);
      assert.deepEqual(ways().toSorted(), [...present, "10.244.3.0/24", "10.244.3.0", "192.168.60.13"].toSorted());
      nodeList.set(config.nodes);
      assert.deepEqual(ways(), present);
      await clock.advance(1000);
      assert.deepEqual(repairs, []);
    });
  });
});

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name.localeCompare(b.name);
}
