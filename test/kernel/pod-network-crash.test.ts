/** An agent may be killed at any instant: before each single step of attaching and of detaching a pod. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createPodNetwork, type PodNetwork, removeUnknownPodNetworks } from "../../src/components/cni/index.ts";
import { createLabNetwork } from "../../src/components/lab-network/index.ts";
import { createNetworkNamespace, openNetworkNamespace } from "../../src/kernel/netns/index.ts";
import { FakeClock } from "../../src/machinery/fake-clock.ts";
import { silentLogger } from "../../src/machinery/log.ts";
import { clusterPaths } from "../../src/model/cluster-config.ts";
import { patience } from "../patience.ts";
import { inNamespaces, isSecondMode } from "./in-namespaces.ts";
import { labConfig } from "./lab-config.ts";
import { namespaceFolder } from "./namespace-folder.ts";

const victim = join(import.meta.dirname, "kill-points/pod-network-victim.ts");
const pod = { namespace: "default", name: "victim", uid: "victim" };

/** Several dozens of processes are killed: in the second mode for whoever asks. */
const skip = isSecondMode && process.env["NETLOOM_LONG_TESTS"] !== "1" && "tried as root";

inNamespaces(import.meta.url, (mode) => {
  const dir = mkdtempSync(join(tmpdir(), "netloom-crash-"));
  const config = labConfig(dir);
  const { netns } = clusterPaths(config);
  const { state, close } = namespaceFolder(netns);
  const node = config.nodes[0] ?? assert.fail();
  const stateDir = join(dir, "cni");
  const clock = new FakeClock();
  const stop = new AbortController();
  let lab: Promise<void>;

  before(async () => {
    createNetworkNamespace(`${netns}/lan`).close();
    const network = createLabNetwork({ config, nodes: config.nodes, ownsLan: true, log: silentLogger, clock });
    lab = network.run(stop.signal);
    await network.ready;
  });
  after(async () => {
    stop.abort();
    await lab;
    close();
    rmSync(dir, { recursive: true });
  });

  /** An agent that starts after another, until it was ended. */
  async function withAgent<T>(work: (network: PodNetwork) => Promise<T>): Promise<T> {
    const end = new AbortController();
    const namespace = openNetworkNamespace(`${netns}/${node.name}`);
    const network = createPodNetwork({ config, node, nodeNamespace: namespace, stateDir, log: silentLogger, clock });
    const running = network.run(end.signal);
    try {
      await Promise.race([network.ready, running]);
      return await work(network);
    } finally {
      end.abort();
      await running;
      namespace.close();
    }
  }

  const linksAndRoutes = (): readonly string[] => {
    const { links, routes } = state(node.name);
    return [...links.map(({ name }) => name), ...routes.map(({ destination }) => destination)].toSorted();
  };

  const everything = () => ({
    namespaces: readdirSync(netns).toSorted(),
    mounts: readFileSync("/proc/self/mounts", "utf8")
      .split("\n")
      .filter((line) => line.includes(dir)).length,
    records: readdirSync(stateDir).filter((name) => name !== "last-address"),
  });

  /** What the kubelet does with a pod that is still there: it takes what was made for it, or has it made. */
  async function adopt(network: PodNetwork): Promise<void> {
    const attached = network.list().find(({ uid }) => uid === pod.uid) ?? (await network.attach(pod));
    assert.deepEqual(await network.check(attached), []);
  }

  /** And with those that went while no agent was there. */
  async function removeAll(network: PodNetwork): Promise<void> {
    for (const attached of network.list()) await network.detach(attached);
  }

  test(`namespaces of pods that no node's records tell of are removed, others stay (${mode})`, async () => {
    await withAgent(async (network) => {
      const { netnsPath } = await network.attach(pod);
      createNetworkNamespace(`${netns}/pod-stranger`).close();
      writeFileSync(`${netns}/pod-unfinished`, "");
      const stateDirs = [stateDir, join(dir, "of-a-node-without-pods")];
      assert.deepEqual(removeUnknownPodNetworks(netns, stateDirs).toSorted(), ["stranger", "unfinished"]);
      assert.deepEqual(readdirSync(netns).toSorted(), ["lan", "node-1", "node-2", "outside", basename(netnsPath)]);
      await network.detach(pod);
    });
  });

  describe(`an agent killed before any step of (${mode})`, { skip }, () => {
    for (const action of ["attach", "detach"] as const) {
      for (const fate of ["stays", "goes"] as const) {
        test(`${action}: a pod that ${fate}`, { timeout: 120_000 * patience }, async () => {
          const clean = await withAgent(async (network) => {
            await removeAll(network);
            return everything();
          });
          const cleanKernel = linksAndRoutes();
          for (let at = 1; ; at += 1) {
            if (action === "detach") await withAgent(adopt);
            const { status, signal, stdout } = spawnSync(process.execPath, [victim, action, `${at}`, stateDir, dir], {
              encoding: "utf8",
              stdio: ["ignore", "pipe", "inherit"],
            });
            if (fate === "stays") await withAgent(adopt);
            await withAgent(removeAll);
            assert.deepEqual(everything(), clean, `killed before step ${at}`);
            await withAgent(async () => assert.deepEqual(linksAndRoutes(), cleanKernel, `killed before step ${at}`));
            if (status === 0) {
              assert.equal(Number(stdout), at - 1);
              assert.ok(at > 3, `${at} steps`);
              break;
            }
            assert.equal(signal, "SIGKILL", `step ${at}: exit code ${status}`);
          }
        });
      }
    }
  });
});
