import assert from "node:assert/strict";
import { test } from "node:test";
import { keyOf } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import type { DaemonSet, DaemonSetSpec, Pod, Taint } from "../../api/generated/types.ts";
import { settle } from "../../machinery/fake-clock.ts";
import { readyNode, readyPod, startCluster } from "./test-cluster.ts";
import type { TestCluster } from "./test-cluster.ts";

const controllers = ["daemonset-controller"] as const;
const key = { namespace: "default", name: "agent" };

function agent(spec: Partial<DaemonSetSpec> = {}): DaemonSet {
  return {
    metadata: { ...key },
    spec: {
      selector: { matchLabels: { app: "agent" } },
      template: { metadata: { labels: { app: "agent" } }, spec: { containers: [{ name: "a", image: "agent:1" }] } },
      ...spec,
    },
  };
}

function nodeOf({ spec }: Pod): string {
  const [term] = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return term?.matchFields?.[0]?.values?.[0] ?? "";
}

/** Plays scheduler and kubelet: pods become ready on the node they are for, deleted ones go. */
async function runPods({ client, clock }: TestCluster): Promise<void> {
  for (const pod of client.peekAll(resources.pods)) {
    if (pod.metadata?.deletionTimestamp !== undefined) client.remove(resources.pods, keyOf(pod));
    else if (pod.status?.phase === undefined) {
      const spec = { ...(pod.spec ?? { containers: [] }), nodeName: nodeOf(pod) };
      client.put(resources.pods, readyPod({ ...pod, spec }, { address: "10.244.1.1", now: clock.now() }));
    }
  }
  await settle();
}

async function start(set: DaemonSet, nodes: Readonly<Record<string, readonly Taint[]>>): Promise<TestCluster> {
  const cluster = await startCluster(controllers);
  for (const [name, taints] of Object.entries(nodes)) {
    const node = readyNode(name, cluster.clock.now());
    cluster.client.put(resources.nodes, {
      ...node,
      metadata: { ...node.metadata, labels: { name } },
      spec: { taints },
    });
  }
  await settle();
  await cluster.client.create(resources.daemonSets, set);
  await settle();
  await runPods(cluster);
  return cluster;
}

function places({ client }: TestCluster): readonly string[] {
  return client
    .peekAll(resources.pods)
    .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
    .map((pod) => `${nodeOf(pod)} ${pod.spec?.containers[0]?.image}`)
    .toSorted((a, b) => a.localeCompare(b));
}

const threeNodes = { "node-1": [], "node-2": [], "node-3": [] };
const newTemplate = { template: { spec: { containers: [{ name: "a", image: "agent:2" }] } } };

test("every node gets a pod, also one that comes later", async () => {
  const cluster = await start(agent(), { "node-1": [], "node-2": [] });
  assert.deepEqual(places(cluster), ["node-1 agent:1", "node-2 agent:1"]);
  cluster.client.put(resources.nodes, readyNode("node-3", cluster.clock.now()));
  await settle();
  assert.deepEqual(places(cluster), ["node-1 agent:1", "node-2 agent:1", "node-3 agent:1"]);
  await runPods(cluster);
  const { status } = cluster.client.peek(resources.daemonSets, key) ?? {};
  assert.deepEqual(
    [status?.desiredNumberScheduled, status?.currentNumberScheduled, status?.numberReady, status?.numberAvailable],
    [3, 3, 3, 3],
  );
  await cluster.stop();
});

test("taints, selectors and affinity keep nodes free, tolerations take them in", async () => {
  const taints = [{ key: "dedicated", value: "db", effect: "NoSchedule" }];
  const nodes = { "node-1": [], "node-2": taints, "node-3": [] };
  const plain = await start(agent(), nodes);
  assert.deepEqual(places(plain), ["node-1 agent:1", "node-3 agent:1"]);
  await plain.stop();
  const spec = { containers: [{ name: "a", image: "agent:1" }] };
  const template = { metadata: { labels: { app: "agent" } }, spec };
  const tolerations = [{ key: "dedicated", operator: "Exists" }];
  const tolerant = await start(agent({ template: { ...template, spec: { ...spec, tolerations } } }), nodes);
  assert.deepEqual(places(tolerant), ["node-1 agent:1", "node-2 agent:1", "node-3 agent:1"]);
  await tolerant.stop();
  const nodeSelector = { name: "node-3" };
  const chosen = await start(agent({ template: { ...template, spec: { ...spec, nodeSelector } } }), nodes);
  assert.deepEqual(places(chosen), ["node-3 agent:1"]);
  await chosen.stop();
});

test("a NoExecute taint drives the pod off, a NoSchedule one lets it stay", async () => {
  const cluster = await start(agent(), { "node-1": [], "node-2": [] });
  const taint = async (name: string, effect: string): Promise<void> => {
    await cluster.client.patch(
      resources.nodes,
      { name },
      { type: "merge", body: { spec: { taints: [{ key: "k", effect }] } } },
    );
    await settle();
  };
  await taint("node-1", "NoSchedule");
  assert.equal(places(cluster).length, 2);
  assert.equal(cluster.client.peek(resources.daemonSets, key)?.status?.numberMisscheduled, 1);
  await taint("node-1", "NoExecute");
  assert.deepEqual(places(cluster), ["node-2 agent:1"]);
  await cluster.stop();
});

test("a rolling update leaves at most maxUnavailable nodes without the pod", async () => {
  const cluster = await start(agent(), threeNodes);
  await cluster.client.patch(resources.daemonSets, key, { type: "merge", body: { spec: newTemplate } });
  await settle();
  for (let round = 0; round < 8; round += 1) {
    const ready = cluster.client
      .peekAll(resources.pods)
      .filter(({ metadata, status }) => status?.phase === "Running" && metadata?.deletionTimestamp === undefined);
    assert.ok(ready.length >= 2, `${ready.length} ready`);
    await runPods(cluster);
  }
  assert.deepEqual(places(cluster), ["node-1 agent:2", "node-2 agent:2", "node-3 agent:2"]);
  assert.deepEqual(
    cluster.client
      .peekAll(resources.controllerRevisions)
      .map(({ revision }) => revision)
      .toSorted((a, b) => a - b),
    [1, 2],
  );
  await cluster.stop();
});

test("with maxSurge the new pod is ready before the old one goes", async () => {
  const updateStrategy = { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
  const cluster = await start(agent({ updateStrategy }), threeNodes);
  await cluster.client.patch(resources.daemonSets, key, { type: "merge", body: { spec: newTemplate } });
  await settle();
  assert.equal(cluster.names(resources.pods).length, 4);
  for (let round = 0; round < 8; round += 1) {
    const ready = cluster.client
      .peekAll(resources.pods)
      .filter(({ metadata, status }) => status?.phase === "Running" && metadata?.deletionTimestamp === undefined);
    assert.ok(ready.length >= 3, `${ready.length} ready`);
    assert.ok(cluster.names(resources.pods).length <= 5);
    await runPods(cluster);
  }
  assert.deepEqual(places(cluster), ["node-1 agent:2", "node-2 agent:2", "node-3 agent:2"]);
  await cluster.stop();
});

test("OnDelete waits for users, and a failed pod is made again", async () => {
  const cluster = await start(agent({ updateStrategy: { type: "OnDelete" } }), threeNodes);
  await cluster.client.patch(resources.daemonSets, key, { type: "merge", body: { spec: newTemplate } });
  await runPods(cluster);
  assert.deepEqual(places(cluster), ["node-1 agent:1", "node-2 agent:1", "node-3 agent:1"]);
  const pod = cluster.client.peekAll(resources.pods).find((one) => nodeOf(one) === "node-2");
  cluster.client.put(resources.pods, { ...pod, status: { phase: "Failed" } });
  await settle();
  await runPods(cluster);
  assert.deepEqual(places(cluster), ["node-1 agent:1", "node-2 agent:2", "node-3 agent:1"]);
  const name = pod?.metadata?.name ?? "";
  const message = `Found failed daemon pod default/${name} on node node-2, will try to kill it`;
  assert.ok(cluster.events().includes(`DaemonSet FailedDaemonPod: ${message}`));
  await cluster.stop();
});
