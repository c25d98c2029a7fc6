/**
 * Kill -9 of any process at any instant, under load: nothing that was acknowledged is lost, watches go on without gap or
 * duplicate, running pods and their open connections live on, and in the end nothing is left over.
 * NETLOOM_KILLS says how many (20). Run by root, it is tried as an ordinary user, too.
 */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ObjectMeta } from "../../src/api/generated/types.ts";
import { resources } from "../../src/api/resources.ts";
import { createHttpsClient } from "../../src/client/index.ts";
import { readKubeconfig } from "../../src/machinery/kubeconfig/index.ts";
import {
  echoManifest,
  eventually,
  isRoot,
  type KernelState,
  kernelState,
  type Lab,
  labProcesses,
  type LabUser,
  makeLab,
  must,
  openConnection,
} from "./lab/index.ts";
import { patience } from "../patience.ts";

const kills = Number(process.env["NETLOOM_KILLS"] ?? "20");
const nodes = ["node-1", "node-2", "node-3"];

const manifests = `${echoManifest}---
apiVersion: v1
kind: Pod
metadata: {name: chatter}
spec:
  nodeName: node-3
  terminationGracePeriodSeconds: 1
  containers: [{name: chatter, image: busybox, command: [sh, -c, 'i=0; while true; do i=$((i+1)); echo line $i; sleep 0.1; done']}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: load}
spec:
  replicas: 2
  selector: {matchLabels: {app: load}}
  template:
    metadata: {labels: {app: load}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: load, image: busybox, command: [sleep, "10000"]}]
---
apiVersion: v1
kind: Service
metadata: {name: load}
spec: {selector: {app: load}, ports: [{port: 80}]}
`;

const targets = ["server", "agent", "cluster-dns", "conmon", "crun"] as const;

/** Kills one process of a kind; crun lives for milliseconds, so it is lain in wait for. */
async function killOne(lab: Lab, target: (typeof targets)[number]): Promise<boolean> {
  const isIt = (words: readonly string[]): boolean =>
    target === "conmon" || target === "crun" ? words[0]?.endsWith(`/${target}`) === true : words.includes(target);
  const deadline = performance.now() + 3000;
  while (performance.now() < deadline) {
    const found = labProcesses(lab).filter(({ words }) => isIt(words));
    const victim = found[randomInt(Math.max(1, found.length))];
    if (victim !== undefined && isKilled(victim.pid)) return true;
    await sleep(target === "crun" ? 1 : 50);
  }
  return false;
}

/** False where it has ended by itself meanwhile. */
function isKilled(pid: number): boolean {
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

type Client = ReturnType<typeof createHttpsClient>;

/** Writes until it is stopped; returns the names whose writes were acknowledged. */
async function write(client: Client, signal: AbortSignal): Promise<readonly string[]> {
  const acknowledged: string[] = [];
  for (let count = 0; !signal.aborted; count += 1) {
    const name = `written-${count}`;
    try {
      await client.create(resources.configMaps, {
        metadata: { name, namespace: "default" },
        data: { count: `${count}` },
      });
      acknowledged.push(name);
    } catch {
      // The server was away: not acknowledged, perhaps written all the same.
      await sleep(20);
    }
  }
  return acknowledged;
}

/** Follows all ConfigMaps from `resourceVersion` on, over any number of broken connections. */
async function follow(
  client: Client,
  from: { resourceVersion: string; signal: AbortSignal; seen: string[] },
): Promise<void> {
  let { resourceVersion } = from;
  while (!from.signal.aborted) {
    try {
      const events = client.watch(resources.configMaps, { namespace: "default", resourceVersion, signal: from.signal });
      for await (const { type, object } of events) {
        assert.notEqual(type, "ERROR", JSON.stringify(object));
        const { name = "", resourceVersion: version = resourceVersion } = object.metadata as ObjectMeta;
        from.seen.push(`${type} ${name}`);
        resourceVersion = version;
      }
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
    }
    await sleep(10);
  }
}

async function makeLoad(client: Client, signal: AbortSignal): Promise<void> {
  const key = { namespace: "default", name: "load" };
  while (!signal.aborted) {
    const body = { spec: { replicas: randomInt(1, 7) } };
    await client.patch(resources.deployments, key, { type: "merge", body }).catch(() => undefined);
    await sleep(300);
  }
}

const users: readonly LabUser[] = isRoot ? ["own", "ordinary"] : ["own"];
for (const user of users) {
  const who = user === "ordinary" || !isRoot ? "an ordinary user's" : "root's";
  test(
    `${kills} kills of processes of ${who} cluster under load lose nothing and leave nothing`,
    { timeout: (120_000 + kills * 10_000) * patience },
    async () => await killAndCompare(user),
  );
}

async function killAndCompare(user: LabUser): Promise<void> {
  const lab = makeLab({ user });
  const stop = new AbortController();
  const writingStop = new AbortController();
  let connection: Awaited<ReturnType<typeof openConnection>> | undefined;
  try {
    await must(lab.netloom(["up"]));
    await must(lab.kubectl(["rollout", "status", "-n", "kube-system", "deployment/coredns", "--timeout=30s"]));
    await sleep(500);
    const quiet = await kernelState(lab, nodes);
    await must(lab.kubectl(["apply", "-f", "-"], { input: manifests }));
    await must(lab.kubectl(["wait", "--for=condition=Ready", "pod/echo", "pod/chatter", "--timeout=30s"]));
    const address = await must(lab.kubectl(["get", "service", "echo", "-o", "jsonpath={.spec.clusterIP}"]));
    const client = createHttpsClient(await readKubeconfig(lab.env["KUBECONFIG"] ?? ""));
    const { metadata } = await client.list(resources.configMaps, { namespace: "default" });
    const seen: string[] = [];
    const following = follow(client, { resourceVersion: metadata?.resourceVersion ?? "", signal: stop.signal, seen });
    const loading = makeLoad(client, stop.signal);
    const writing = write(client, writingStop.signal);
    connection = await eventually(async () => await openConnection(lab, address));

    const done = new Map<string, number>();
    for (let count = 0; count < kills; count += 1) {
      const target = targets[count % targets.length] ?? "server";
      await sleep(randomInt(20, 600));
      if (await killOne(lab, target)) done.set(target, (done.get(target) ?? 0) + 1);
    }
    assert.ok((done.get("server") ?? 0) > 0 && (done.get("agent") ?? 0) > 0, JSON.stringify([...done]));

    writingStop.abort();
    const acknowledged = await writing;
    // On a busy machine the server is away most of the time.
    assert.ok(acknowledged.length > kills / 10, `${acknowledged.length} writes`);
    await eventually(async () => await must(lab.kubectl(["get", "nodes"])), { timeoutMs: 30_000 });
    // The store: all that was acknowledged is there; the watch has told of each exactly once.
    const { items } = await client.list(resources.configMaps, { namespace: "default" });
    const present = items.map((item) => item.metadata?.name ?? "").filter((name) => name.startsWith("written-"));
    assert.deepEqual(
      acknowledged.filter((name) => !present.includes(name)),
      [],
    );
    await eventually(() =>
      assert.deepEqual(
        seen.filter((event) => event.includes("written-")).toSorted(),
        present.map((name) => `ADDED ${name}`).toSorted(),
      ),
    );
    assert.ok((await connection.finish()) > 0);
    // The pods: the same containers as before, still heard.
    const states = await must(
      lab.kubectl([
        "get",
        "pods",
        "echo",
        "chatter",
        "-o",
        "jsonpath={.items[*].status.containerStatuses[0].restartCount}",
      ]),
    );
    assert.equal(states, "0 0");
    const lines = await eventually(async () => (await must(lab.kubectl(["logs", "chatter"]))).trim().split("\n"));
    // Whoever of its monitor and its agent was killed, also at once: every line is there, once and in order.
    assert.deepEqual(
      lines,
      lines.map((_, index) => `line ${index + 1}`),
    );
    const before = lines.length;
    await eventually(async () =>
      assert.ok((await must(lab.kubectl(["logs", "chatter"]))).trim().split("\n").length > before),
    );

    stop.abort();
    await Promise.all([following, loading]);
    // The kernel: as before the load, in every node.
    await must(
      lab.kubectl([
        "delete",
        "deployment/load",
        "service/load",
        "service/echo",
        "pod/echo",
        "pod/chatter",
        "--timeout=30s",
      ]),
    );
    await eventually(
      async () => {
        const now = await kernelState(lab, nodes);
        assert.equal(now["netns"]?.length, quiet["netns"]?.length, now["netns"]?.join(" "));
        assert.deepEqual({ more: difference(now, quiet), less: difference(quiet, now) }, { more: [], less: [] });
      },
      { timeoutMs: 40_000 },
    );
    // The processes: one monitor for each container that runs, none that nobody knows.
    const running = labProcesses(lab);
    assert.deepEqual(
      running.filter(({ words }) => words[0]?.endsWith("/crun") === true),
      [],
    );
    assert.deepEqual(
      running.filter(({ words }) => words[0] === "sleep" || words[0] === "nc"),
      [],
    );
    assert.equal(running.filter(({ words }) => words.includes("cluster-dns")).length, 2);
    assert.ok(running.filter(({ words }) => words[0]?.endsWith("/conmon") === true).length <= 2);
  } finally {
    stop.abort();
    writingStop.abort();
    connection?.close();
    await lab.end();
  }
}

/** Lines that one state has and the other lacks. */
function difference(state: KernelState, other: KernelState): readonly string[] {
  return nodes.flatMap((node) => {
    const known = new Set((other[node] ?? []).map(plain));
    return (state[node] ?? []).map(plain).filter((line) => line !== "" && !known.has(line));
  });
}

/** Addresses, names and link names of pods (those of DNS here) may be others than before; counters are of traffic. */
function plain(line: string): string {
  return line
    .replaceAll(/10\.244\.\d+\.\d+(?!\/24)/g, "POD")
    .replaceAll(/coredns-[0-9a-z-]+/g, "coredns")
    .replaceAll(/v[0-9a-f]{10}/g, "LINK")
    .replace(/^0x[0-9a-f]+ counter$/, "");
}
