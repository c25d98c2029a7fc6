import assert from "node:assert/strict";
import { test } from "node:test";
import { resources } from "../../api/resources.ts";
import type { Toleration } from "../../api/generated/types.ts";
import { settle } from "../../machinery/fake-clock.ts";
import { readyNode, readyPod, startCluster } from "./test-cluster.ts";
import type { TestCluster } from "./test-cluster.ts";

const controllers = [
  "node-lifecycle-controller",
  "taint-eviction-controller",
  "pod-garbage-collector-controller",
  "endpointslice-controller",
] as const;

const fiveMinutes: readonly Toleration[] = ["not-ready", "unreachable"].map((name) => ({
  key: `node.kubernetes.io/${name}`,
  operator: "Exists",
  effect: "NoExecute",
  tolerationSeconds: 300,
}));

function renew({ client, clock }: TestCluster): void {
  client.put(resources.leases, {
    metadata: { namespace: "kube-node-lease", name: "node-1" },
    spec: { renewTime: new Date(clock.now()).toISOString() },
  });
}

async function withPod(tolerations: readonly Toleration[] = fiveMinutes): Promise<TestCluster> {
  const cluster = await startCluster(controllers);
  const now = cluster.clock.now();
  cluster.client.put(resources.nodes, readyNode("node-1", now));
  renew(cluster);
  cluster.client.put(resources.services, {
    metadata: { namespace: "default", name: "web" },
    spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
  });
  const pod = {
    metadata: { namespace: "default", name: "web-1", labels: { app: "web" } },
    spec: { containers: [], tolerations },
  };
  cluster.client.put(resources.pods, readyPod(pod, { address: "10.244.1.2", now }));
  await settle();
  return cluster;
}

function taints({ client }: TestCluster): readonly string[] {
  const { spec } = client.peek(resources.nodes, { name: "node-1" }) ?? {};
  return (spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`);
}

function isServing({ client }: TestCluster): boolean | undefined {
  return client.peekAll(resources.endpointSlices)[0]?.endpoints?.[0]?.conditions?.ready;
}

test("a node that renews its lease stays as it is", async () => {
  const cluster = await withPod();
  for (let time = 0; time < 12; time += 1) {
    await cluster.clock.advance(10_000);
    renew(cluster);
  }
  assert.deepEqual(taints(cluster), []);
  assert.equal(isServing(cluster), true);
  assert.equal(
    cluster.client.requests.some(({ verb, resource }) => verb === "update" && resource === "nodes"),
    false,
  );
  await cluster.stop();
});

test("a node that falls silent is unreachable after 40 seconds, and Services stop sending to its pods", async () => {
  const cluster = await withPod();
  await cluster.clock.advance(39_000);
  assert.equal(isServing(cluster), true);
  await cluster.clock.advance(2000);
  const { status } = cluster.client.peek(resources.nodes, { name: "node-1" }) ?? {};
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  assert.equal(ready?.status, "Unknown");
  assert.equal(ready?.reason, "NodeStatusUnknown");
  assert.equal(ready?.message, "Kubelet stopped posting node status.");
  assert.deepEqual(taints(cluster), [
    "node.kubernetes.io/unreachable:NoSchedule",
    "node.kubernetes.io/unreachable:NoExecute",
  ]);
  assert.equal(isServing(cluster), false);
  await cluster.stop();
});

test("pods leave a lost node when what they tolerate is over", async () => {
  const cluster = await withPod();
  await cluster.clock.advance(41_000);
  await cluster.clock.advance(298_000);
  const key = { namespace: "default", name: "web-1" };
  assert.equal(cluster.client.peek(resources.pods, key)?.metadata?.deletionTimestamp, undefined);
  await cluster.clock.advance(3000);
  assert.notEqual(cluster.client.peek(resources.pods, key)?.metadata?.deletionTimestamp, undefined);
  assert.ok(cluster.events().includes("Pod TaintManagerEviction: Marking for deletion Pod default/web-1"));
  await cluster.stop();
});

test("a pod without a toleration leaves a lost node at once", async () => {
  const cluster = await withPod([]);
  await cluster.clock.advance(41_000);
  const key = { namespace: "default", name: "web-1" };
  assert.notEqual(cluster.client.peek(resources.pods, key)?.metadata?.deletionTimestamp, undefined);
  await cluster.stop();
});

test("a node that comes back loses its taints", async () => {
  const cluster = await withPod();
  await cluster.clock.advance(41_000);
  cluster.client.put(resources.nodes, {
    ...cluster.client.peek(resources.nodes, { name: "node-1" }),
    ...readyNode("node-1", cluster.clock.now()),
    spec: {
      taints: [
        { key: "node.kubernetes.io/unreachable", effect: "NoExecute" },
        { key: "mine", effect: "NoSchedule" },
      ],
    },
  });
  renew(cluster);
  await settle();
  assert.deepEqual(taints(cluster), ["mine:NoSchedule"]);
  await cluster.stop();
});

test("a cordoned node is tainted unschedulable", async () => {
  const cluster = await withPod();
  await cluster.client.patch(
    resources.nodes,
    { name: "node-1" },
    { type: "merge", body: { spec: { unschedulable: true } } },
  );
  await settle();
  assert.deepEqual(taints(cluster), ["node.kubernetes.io/unschedulable:NoSchedule"]);
  await cluster.stop();
});

test("pods of a node that is gone are failed and removed after the quarantine", async () => {
  const cluster = await withPod();
  cluster.client.remove(resources.nodes, { name: "node-1" });
  await cluster.clock.advance(30_000);
  assert.deepEqual(cluster.names(resources.pods), ["web-1"]);
  await cluster.clock.advance(40_000);
  assert.deepEqual(cluster.names(resources.pods), []);
  await cluster.stop();
});
