import assert from "node:assert/strict";
import { test } from "node:test";
import { resources } from "../../api/resources.ts";
import type { Deployment, DeploymentSpec } from "../../api/generated/types.ts";
import { forbidden } from "../../api/status.ts";
import { settle } from "../../machinery/fake-clock.ts";
import { templateHash } from "../../model/workload/index.ts";
import { startCluster } from "./test-cluster.ts";
import type { TestCluster } from "./test-cluster.ts";

const controllers = ["deployment-controller", "replicaset-controller"] as const;

function web(image: string, spec: Partial<DeploymentSpec> = {}): Deployment {
  return {
    metadata: { namespace: "default", name: "web" },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "web", image }] } },
      ...spec,
    },
  };
}

/** `replicas/ready` of each ReplicaSet by its image. */
function sizes({ client }: TestCluster): Readonly<Record<string, string>> {
  return Object.fromEntries(
    client
      .peekAll(resources.replicaSets)
      .map(({ spec, status }) => [
        spec?.template?.spec?.containers[0]?.image ?? "",
        `${spec?.replicas}/${status?.readyReplicas ?? 0}`,
      ]),
  );
}

function conditions({ client }: TestCluster): readonly string[] {
  const deployment = client.peek(resources.deployments, { namespace: "default", name: "web" });
  return (deployment?.status?.conditions ?? [])
    .map(({ type, status, reason, message }) => `${type}=${status} ${reason}: ${message}`)
    .toSorted();
}

async function change({ client }: TestCluster, body: unknown): Promise<void> {
  await client.patch(resources.deployments, { namespace: "default", name: "web" }, { type: "merge", body });
  await settle();
}

test("a Deployment becomes a ReplicaSet with its pods, says so, and settles", async () => {
  const cluster = await startCluster(controllers);
  await cluster.client.create(resources.deployments, web("nginx:1"));
  await settle();
  const [name = ""] = cluster.names(resources.replicaSets);
  assert.match(name, /^web-[bcdfghjklmnpqrstvwxz2456789]{5,10}$/);
  assert.equal(cluster.names(resources.pods).length, 3);
  assert.deepEqual(conditions(cluster), [
    "Available=False MinimumReplicasUnavailable: Deployment does not have minimum availability.",
    `Progressing=True ReplicaSetUpdated: ReplicaSet "${name}" is progressing.`,
  ]);
  await cluster.runPods();
  const deployment = cluster.client.peek(resources.deployments, { namespace: "default", name: "web" });
  const { conditions: _conditions, ...numbers } = deployment?.status ?? {};
  assert.deepEqual(numbers, {
    observedGeneration: 1,
    replicas: 3,
    updatedReplicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
  });
  assert.equal(deployment?.metadata?.annotations?.["deployment.kubernetes.io/revision"], "1");
  assert.deepEqual(conditions(cluster), [
    "Available=True MinimumReplicasAvailable: Deployment has minimum availability.",
    `Progressing=True NewReplicaSetAvailable: ReplicaSet "${name}" has successfully progressed.`,
  ]);
  assert.ok(cluster.events().includes(`Deployment ScalingReplicaSet: Scaled up replica set ${name} from 0 to 3`));
  assert.equal(cluster.events().filter((text) => text.startsWith("ReplicaSet SuccessfulCreate")).length, 3);
  const before = cluster.client.requests.length;
  await cluster.clock.advance(5000);
  assert.equal(cluster.client.requests.length, before, "settled: no more writes");
  await cluster.stop();
});

test("a rolling update never has fewer ready pods than allowed, nor more pods", async () => {
  const cluster = await startCluster(controllers);
  await cluster.client.create(resources.deployments, web("nginx:1", { replicas: 4 }));
  await cluster.runPods();
  await change(cluster, { spec: { template: { spec: { containers: [{ name: "web", image: "nginx:2" }] } } } });
  for (let round = 0; round < 20 && sizes(cluster)["nginx:2"] !== "4/4"; round += 1) {
    const pods = cluster.client.peekAll(resources.pods).filter(({ metadata }) => !metadata?.deletionTimestamp);
    assert.ok(pods.length <= 5, `${pods.length} pods`);
    assert.ok(pods.filter(({ status }) => status?.phase === "Running").length >= 3);
    await cluster.runPods();
  }
  assert.deepEqual(sizes(cluster), { "nginx:1": "0/0", "nginx:2": "4/4" });
  const revisions = cluster.client
    .peekAll(resources.replicaSets)
    .map(({ metadata }) => metadata?.annotations?.["deployment.kubernetes.io/revision"] ?? "")
    .toSorted((a, b) => a.localeCompare(b));
  assert.deepEqual(revisions, ["1", "2"]);
  await cluster.stop();
});

test("going back to a former template uses its ReplicaSet again, under the next revision", async () => {
  const cluster = await startCluster(controllers);
  const rollOut = async (image: string): Promise<void> => {
    await change(cluster, { spec: { template: { spec: { containers: [{ name: "web", image }] } } } });
    for (let round = 0; round < 10; round += 1) await cluster.runPods();
  };
  await cluster.client.create(resources.deployments, web("nginx:1"));
  await cluster.runPods();
  await rollOut("nginx:2");
  await rollOut("nginx:1");
  assert.deepEqual(sizes(cluster), { "nginx:1": "3/3", "nginx:2": "0/0" });
  const back = cluster.client.peekAll(resources.replicaSets).find(({ spec }) => spec?.replicas === 3);
  assert.equal(back?.metadata?.annotations?.["deployment.kubernetes.io/revision"], "3");
  assert.equal(back?.metadata?.annotations?.["deployment.kubernetes.io/revision-history"], "1");
  await cluster.stop();
});

test("Recreate starts nothing new before the last old pod is gone", async () => {
  const cluster = await startCluster(controllers);
  await cluster.client.create(resources.deployments, web("nginx:1", { strategy: { type: "Recreate" } }));
  await cluster.runPods();
  await change(cluster, { spec: { template: { spec: { containers: [{ name: "web", image: "nginx:2" }] } } } });
  assert.deepEqual(sizes(cluster), { "nginx:1": "0/0" });
  assert.equal(cluster.names(resources.pods).length, 3, "old pods still terminate");
  await cluster.runPods();
  await cluster.runPods();
  assert.deepEqual(sizes(cluster), { "nginx:1": "0/0", "nginx:2": "3/3" });
  await cluster.stop();
});

test("scaling changes the ReplicaSet and deletes surplus pods", async () => {
  const cluster = await startCluster(controllers);
  await cluster.client.create(resources.deployments, web("nginx:1"));
  await cluster.runPods();
  const [name = ""] = cluster.names(resources.replicaSets);
  await change(cluster, { spec: { replicas: 5 } });
  await cluster.runPods();
  assert.deepEqual(sizes(cluster), { "nginx:1": "5/5" });
  await change(cluster, { spec: { replicas: 1 } });
  await cluster.runPods();
  assert.equal(cluster.names(resources.pods).length, 1);
  assert.ok(cluster.events().includes(`Deployment ScalingReplicaSet: Scaled up replica set ${name} from 3 to 5`));
  assert.ok(cluster.events().includes(`Deployment ScalingReplicaSet: Scaled down replica set ${name} from 5 to 1`));
  await cluster.stop();
});

test("a paused Deployment scales but does not roll out, and says so", async () => {
  const cluster = await startCluster(controllers);
  await cluster.client.create(resources.deployments, web("nginx:1"));
  await cluster.runPods();
  await change(cluster, { spec: { paused: true } });
  await change(cluster, { spec: { template: { spec: { containers: [{ name: "web", image: "nginx:2" }] } } } });
  await change(cluster, { spec: { replicas: 2 } });
  await cluster.runPods();
  assert.deepEqual(sizes(cluster), { "nginx:1": "2/2" });
  assert.ok(conditions(cluster).includes("Progressing=Unknown DeploymentPaused: Deployment is paused"));
  await change(cluster, { spec: { paused: false } });
  for (let round = 0; round < 10; round += 1) await cluster.runPods();
  assert.deepEqual(sizes(cluster), { "nginx:1": "0/0", "nginx:2": "2/2" });
  await cluster.stop();
});

test("a rollout that does not get on is reported after its deadline", async () => {
  const cluster = await startCluster(controllers);
  await cluster.client.create(resources.deployments, web("nginx:1", { progressDeadlineSeconds: 60 }));
  await settle();
  const [name = ""] = cluster.names(resources.replicaSets);
  await cluster.clock.advance(62_000);
  assert.ok(
    conditions(cluster).includes(
      `Progressing=False ProgressDeadlineExceeded: ReplicaSet "${name}" has timed out progressing.`,
    ),
    conditions(cluster).join("\n"),
  );
  await cluster.stop();
});

test("history beyond its limit is deleted", async () => {
  const cluster = await startCluster(controllers);
  await cluster.client.create(resources.deployments, web("nginx:1", { revisionHistoryLimit: 1 }));
  await cluster.runPods();
  for (const image of ["nginx:2", "nginx:3"]) {
    await change(cluster, { spec: { template: { spec: { containers: [{ name: "web", image }] } } } });
    for (let round = 0; round < 10; round += 1) await cluster.runPods();
  }
  assert.deepEqual(sizes(cluster), { "nginx:2": "0/0", "nginx:3": "3/3" });
  await cluster.stop();
});

test("a pod that is deleted is replaced at once", async () => {
  const cluster = await startCluster(controllers);
  await cluster.client.create(resources.deployments, web("nginx:1"));
  await cluster.runPods();
  const [victim = ""] = cluster.names(resources.pods);
  await cluster.client.delete(resources.pods, { namespace: "default", name: victim });
  await settle();
  assert.equal(cluster.names(resources.pods).length, 4, "the old one terminates, the new one is there");
  await cluster.stop();
});

test("a pod whose labels no longer match is released and replaced; an orphan that matches is adopted", async () => {
  const cluster = await startCluster(controllers);
  await cluster.client.create(resources.deployments, web("nginx:1"));
  await cluster.runPods();
  const [first = ""] = cluster.names(resources.pods);
  const key = { namespace: "default", name: first };
  const hash = cluster.client.peek(resources.pods, key)?.metadata?.labels?.["pod-template-hash"] ?? "";
  await cluster.client.patch(resources.pods, key, { type: "merge", body: { metadata: { labels: { app: "other" } } } });
  await settle();
  assert.deepEqual(cluster.client.peek(resources.pods, key)?.metadata?.ownerReferences, []);
  assert.equal(cluster.names(resources.pods).length, 4);
  await cluster.client.patch(resources.pods, key, {
    type: "merge",
    body: { metadata: { labels: { app: "web", "pod-template-hash": hash } } },
  });
  await cluster.runPods();
  await cluster.runPods();
  assert.equal(cluster.names(resources.pods).length, 3);
  await cluster.stop();
});

test("a ReplicaSet of another owner under the same name is left alone: the next hash is tried", async () => {
  const cluster = await startCluster(controllers);
  const name = `web-${templateHash(web("nginx:1").spec?.template)}`;
  const selector = { matchLabels: { app: "other" } };
  const template = { metadata: { labels: { app: "other" } }, spec: { containers: [] } };
  await cluster.client.create(resources.replicaSets, {
    metadata: { namespace: "default", name },
    spec: { replicas: 0, selector, template },
  });
  await cluster.client.create(resources.deployments, web("nginx:1"));
  await cluster.runPods();
  const deployment = cluster.client.peek(resources.deployments, { namespace: "default", name: "web" });
  assert.equal(deployment?.status?.collisionCount, 1);
  assert.equal(deployment.status.readyReplicas, 3);
  assert.equal(cluster.client.peek(resources.replicaSets, { namespace: "default", name })?.spec?.replicas, 0);
  assert.equal(cluster.names(resources.replicaSets).length, 2);
  await cluster.stop();
});

test("pods that are refused are reported in the status and as an event, and tried again ever more rarely", async () => {
  let isRefusing = true;
  const why = "exceeded quota: pods=2";
  const cluster = await startCluster(controllers, {
    failWith: ({ verb, resource }) =>
      isRefusing && verb === "create" && resource === "pods"
        ? forbidden({ group: "", name: "pods" }, "web", why)
        : undefined,
  });
  await cluster.client.create(resources.deployments, web("nginx:1"));
  await cluster.clock.advance(10_000);
  const message = `pods "web" is forbidden: ${why}`;
  assert.ok(
    conditions(cluster).includes(`ReplicaFailure=True FailedCreate: ${message}`),
    conditions(cluster).join("\n"),
  );
  assert.ok(cluster.events().includes(`ReplicaSet FailedCreate: Error creating: ${message}`));
  const tries = cluster.client.requests.filter(({ verb, resource }) => verb === "create" && resource === "pods");
  assert.ok(tries.length > 5 && tries.length < 25, `${tries.length} tries in ten seconds`);
  isRefusing = false;
  await cluster.clock.advance(60_000);
  await cluster.runPods();
  assert.deepEqual(sizes(cluster), { "nginx:1": "3/3" });
  assert.ok(conditions(cluster).every((text) => !text.startsWith("ReplicaFailure")));
  await cluster.stop();
});
