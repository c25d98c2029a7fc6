import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type AttachedPod, createPodNetwork, type PodNetwork } from "../../src/components/cni/index.ts";
import { createLabNetwork } from "../../src/components/lab-network/index.ts";
import { createNetworkNamespace, openNetworkNamespace, removeNetworkNamespace } from "../../src/kernel/netns/index.ts";
import { FakeClock } from "../../src/machinery/fake-clock.ts";
import { silentLogger } from "../../src/machinery/log.ts";
import { clusterPaths } from "../../src/model/cluster-config.ts";
import type { NetworkOperation, NetworkState } from "../../src/model/network-state/index.ts";
import { podLinkName } from "../../src/model/pod-network/index.ts";
import { inNamespaces } from "./in-namespaces.ts";
import { labConfig } from "./lab-config.ts";
import { namespaceFolder } from "./namespace-folder.ts";

inNamespaces(import.meta.url, (mode) => {
  const home = readlinkSync("/proc/thread-self/ns/net");
  const dir = mkdtempSync(join(tmpdir(), "netloom-pods-"));
  const config = labConfig(dir);
  const { netns } = clusterPaths(config);
  const { withNetwork, serve, ask, close } = namespaceFolder(netns);
  const clock = new FakeClock();
  const stop = new AbortController();
  const running: Promise<void>[] = [];
  const nodeNetworks: PodNetwork[] = [];

  /** What an administrator does by hand. */
  const tamper = (name: string, operations: (state: NetworkState) => readonly NetworkOperation[]): void =>
    withNetwork(name, (network) => network.apply(operations(network.read({ sysctls: [] }))), "labNetwork");
  const restartNode = (index: number): PodNetwork => {
    const node = config.nodes[index];
    assert.ok(node !== undefined);
    const network = createPodNetwork({
      config,
      node,
      nodeNamespace: openNetworkNamespace(`${netns}/${node.name}`),
      stateDir: `${config.stateDir}/${node.name}`,
      log: silentLogger,
      clock,
    });
    running.push(network.run(stop.signal));
    return network;
  };
  let podA: AttachedPod, podB: AttachedPod, podC: AttachedPod;

  before(async () => {
    createNetworkNamespace(`${netns}/lan`).close();
    const lab = createLabNetwork({ config, nodes: config.nodes, ownsLan: true, log: silentLogger, clock });
    running.push(lab.run(stop.signal));
    await lab.ready;
    nodeNetworks.push(restartNode(0), restartNode(1));
    await Promise.all(nodeNetworks.map((network) => network.ready));
    podA = await attach(0, "a");
    podB = await attach(0, "b");
    podC = await attach(1, "c");
    await serve("pod-a", podA.ips[0] ?? "");
    await serve("pod-c", podC.ips[0] ?? "");
    await serve("outside", config.outsideAddresses[0]);
  });

  after(async () => {
    stop.abort();
    await Promise.all(running);
    close();
    const mounts = readFileSync("/proc/self/mounts", "utf8");
    rmSync(dir, { recursive: true });
    assert.ok(!mounts.includes(dir), mounts);
  });

  const networkOf = (node: number): PodNetwork => {
    const network = nodeNetworks[node];
    assert.ok(network !== undefined);
    return network;
  };
  const attach = (node: number, name: string): Promise<AttachedPod> =>
    networkOf(node).attach({ namespace: "default", name, uid: name });

  describe(`pod network (${mode})`, () => {
    test("gives the first pods of a node the addresses from .2 on, and a namespace each", () => {
      assert.deepEqual(podA, {
        namespace: "default",
        name: "a",
        uid: "a",
        netnsPath: `${netns}/pod-a`,
        ips: ["10.244.1.2"],
      });
      assert.deepEqual(podB.ips, ["10.244.1.3"]);
      assert.deepEqual(podC.ips, ["10.244.2.2"]);
    });

    test("carries packets between pods of a node and of two nodes, without changing their source", async () => {
      assert.equal(await ask("pod-b", "10.244.1.2"), "10.244.1.3");
      assert.equal(await ask("pod-b", "10.244.2.2"), "10.244.1.3");
      assert.equal(await ask("pod-c", "10.244.1.2"), "10.244.2.2");
    });

    test("lets nodes and the control plane reach pods, and pods themselves", async () => {
      assert.equal(await ask("node-1", "10.244.2.2"), "192.168.60.11");
      assert.equal(await ask("lan", "10.244.2.2"), "192.168.60.1");
      assert.equal(await ask("pod-a", "10.244.1.2"), "10.244.1.2");
    });

    test("lets nodes reach the outside, which has no way to pods: as with a real router", async () => {
      assert.equal(await ask("node-2", "192.168.61.2"), "192.168.60.12");
      await assert.rejects(ask("outside", "10.244.1.2"), { code: "EHOSTUNREACH" });
    });

    // The answer is immediate, but connect() still holds the socket when it arrives on one machine: the kernel drops it,
    // and the second SYN, a second later, gets the error.
    test("tells that a pod address is not in use", async () => {
      await assert.rejects(ask("pod-a", "10.244.2.77"), { code: "EHOSTUNREACH" });
    });

    test("names the pod on its link, and marks routes as its own", () => {
      tamper("node-1", (state) => {
        const link = state.links.find(({ name }) => name === podLinkName("a"));
        assert.equal(link?.alias, "Pod default/a");
        return [];
      });
    });

    test("is idempotent: a second look finds nothing to do", async () => {
      assert.deepEqual(await networkOf(0).check(podA), []);
      assert.deepEqual(await networkOf(1).check(podC), []);
    });

    test("replaces what is left of the same pod, with another address", async () => {
      const first = await attach(1, "again");
      const second = await attach(1, "again");
      assert.notDeepEqual(second.ips, first.ips);
      assert.deepEqual(await networkOf(1).check(second), []);
      assert.deepEqual(
        networkOf(1)
          .list()
          .map(({ uid }) => uid),
        ["c", "again"],
      );
      await networkOf(1).detach(second);
      await networkOf(1).detach(second);
      assert.ok(!existsSync(second.netnsPath));
      await assert.rejects(ask("node-2", second.ips[0] ?? ""), { code: "EHOSTUNREACH" });
    });

    test("refuses a uid that is no file name, and leaves nothing", async () => {
      const uid = "../lan";
      await assert.rejects(networkOf(0).attach({ namespace: "default", name: "x", uid }), /its uid "\.\.\/lan"/);
      assert.equal(networkOf(0).list().length, 2);
    });

    test("puts back links, addresses and routes that were taken away by hand", async () => {
      tamper("node-1", (state) => [
        { type: "delete-link", name: podLinkName("b") },
        ...state.routes
          .filter(({ destination }) => destination === "10.244.2.0/24")
          .map((route) => ({ type: "delete-route", route }) as const),
      ]);
      tamper("lan", () => [{ type: "delete-link", name: "node-2" }]);
      assert.ok((await networkOf(0).check(podB)).includes(`create-link ${podLinkName("b")}`));
      // The cable comes back first; what needs it follows a round later.
      await clock.advance(2000);
      await clock.advance(2000);
      assert.deepEqual(await networkOf(0).check(podB), []);
      assert.equal(await ask("pod-b", "10.244.2.2"), "10.244.1.3");
      assert.equal(await ask("node-2", "192.168.61.2"), "192.168.60.12");
    });

    test("finds its pods again after a restart, but none that are damaged or gone, and removes links without a pod", async () => {
      const lost = await attach(1, "lost");
      writeFileSync(`${config.stateDir}/node-2/lost.json`, "{");
      const gone = await attach(1, "gone");
      removeNetworkNamespace(gone.netnsPath);
      const restarted = restartNode(1);
      await restarted.ready;
      assert.deepEqual(
        restarted.list().map(({ name, ips }) => ({ name, ips })),
        [{ name: "c", ips: ["10.244.2.2"] }],
      );
      assert.deepEqual(await restarted.check(podC), []);
      tamper("node-2", (state) => {
        assert.ok(!state.links.some(({ name }) => name === podLinkName("lost")));
        return [];
      });
      const next = await restarted.attach({ namespace: "default", name: "next", uid: "next" });
      assert.notDeepEqual(next.ips, lost.ips);
      await restarted.detach(next);
    });

    test("leaves this thread and libuv's pool at home", async () => {
      await readFile("/proc/self/stat");
      const tasks = readdirSync("/proc/self/task").map((task) => readlinkSync(`/proc/self/task/${task}/ns/net`));
      assert.deepEqual([...new Set(tasks)], [home]);
    });
  });
});
