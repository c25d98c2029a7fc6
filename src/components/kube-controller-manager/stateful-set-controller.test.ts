import assert from "node:assert/strict";
import { test } from "node:test";
import { resources } from "../../api/resources.ts";
import type { StatefulSet, StatefulSetSpec } from "../../api/generated/types.ts";
import { settle } from "../../machinery/fake-clock.ts";
import { startCluster } from "./test-cluster.ts";
import type { TestCluster } from "./test-cluster.ts";

const controllers = ["statefulset-controller"] as const;
const key = { namespace: "default", name: "web" };

function web(spec: Partial<StatefulSetSpec> = {}, image = "nginx:1"): StatefulSet {
  return {
    metadata: { ...key },
    spec: {
      replicas: 3,
      serviceName: "web",
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "web", image }] } },
      ...spec,
    },
  };
}

async function change(cluster: TestCluster, spec: object): Promise<void> {
  await cluster.client.patch(resources.statefulSets, key, { type: "merge", body: { spec } });
  await settle();
}

function template(image: string): object {
  return { template: { spec: { containers: [{ name: "web", image }] } } };
}

function images({ client }: TestCluster): readonly string[] {
  return client
    .peekAll(resources.pods)
    .map(({ metadata, spec }) => `${metadata?.name} ${spec?.containers[0]?.image}`)
    .toSorted((a, b) => a.localeCompare(b));
}

async function startAll(set: StatefulSet): Promise<TestCluster> {
  const cluster = await startCluster(controllers);
  await cluster.client.create(resources.statefulSets, set);
  for (let round = 0; round < 5; round += 1) await cluster.runPods();
  return cluster;
}

test("replicas come one after the other, each when the one before is ready, with name, host name and subdomain", async () => {
  const cluster = await startCluster(controllers);
  await cluster.client.create(resources.statefulSets, web({ ordinals: { start: 1 } }));
  await settle();
  assert.deepEqual(cluster.names(resources.pods), ["web-1"]);
  await cluster.runPods();
  assert.deepEqual(cluster.names(resources.pods), ["web-1", "web-2"]);
  await cluster.runPods();
  await cluster.runPods();
  assert.deepEqual(cluster.names(resources.pods), ["web-1", "web-2", "web-3"]);
  const { spec, metadata } = cluster.client.peek(resources.pods, { namespace: "default", name: "web-2" }) ?? {};
  assert.deepEqual([spec?.hostname, spec?.subdomain], ["web-2", "web"]);
  assert.equal(metadata?.labels?.["statefulset.kubernetes.io/pod-name"], "web-2");
  assert.equal(metadata?.labels?.["apps.kubernetes.io/pod-index"], "2");
  assert.ok(cluster.events().includes("StatefulSet SuccessfulCreate: create Pod web-3 in StatefulSet web successful"));
  const { status } = cluster.client.peek(resources.statefulSets, key) ?? {};
  assert.deepEqual([status?.replicas, status?.readyReplicas, status?.updatedReplicas], [3, 3, 3]);
  await cluster.stop();
});

test("Parallel makes and removes all replicas at once", async () => {
  const cluster = await startCluster(controllers);
  await cluster.client.create(resources.statefulSets, web({ podManagementPolicy: "Parallel" }));
  await settle();
  assert.deepEqual(cluster.names(resources.pods), ["web-0", "web-1", "web-2"]);
  await cluster.runPods();
  await change(cluster, { replicas: 0 });
  await cluster.runPods();
  assert.deepEqual(cluster.names(resources.pods), []);
  await cluster.stop();
});

test("scaling down removes the highest ordinal first, and the next when it is gone", async () => {
  const cluster = await startAll(web());
  await change(cluster, { replicas: 1 });
  const leaving = cluster.client.peekAll(resources.pods).filter(({ metadata }) => metadata?.deletionTimestamp);
  assert.deepEqual(
    leaving.map(({ metadata }) => metadata?.name),
    ["web-2"],
  );
  await cluster.runPods();
  await cluster.runPods();
  assert.deepEqual(cluster.names(resources.pods), ["web-0"]);
  await cluster.stop();
});

test("a rolling update goes from the highest ordinal down to the partition, then to the end", async () => {
  const cluster = await startAll(web());
  await change(cluster, { ...template("nginx:2"), updateStrategy: { rollingUpdate: { partition: 1 } } });
  for (let round = 0; round < 10; round += 1) {
    const missing =
      3 - cluster.client.peekAll(resources.pods).filter(({ status }) => status?.phase === "Running").length;
    assert.ok(missing <= 1, `${missing} missing`);
    await cluster.runPods();
  }
  assert.deepEqual(images(cluster), ["web-0 nginx:1", "web-1 nginx:2", "web-2 nginx:2"]);
  let { status } = cluster.client.peek(resources.statefulSets, key) ?? {};
  assert.notEqual(status?.currentRevision, status?.updateRevision);
  assert.deepEqual([status?.currentReplicas, status?.updatedReplicas], [1, 2]);
  await change(cluster, { updateStrategy: { rollingUpdate: { partition: 0 } } });
  for (let round = 0; round < 4; round += 1) await cluster.runPods();
  assert.deepEqual(images(cluster), ["web-0 nginx:2", "web-1 nginx:2", "web-2 nginx:2"]);
  ({ status } = cluster.client.peek(resources.statefulSets, key) ?? {});
  assert.equal(status?.currentRevision, status?.updateRevision);
  await cluster.stop();
});

test("a replica below the partition that is made anew keeps the former template", async () => {
  const cluster = await startAll(web());
  await change(cluster, { ...template("nginx:2"), updateStrategy: { rollingUpdate: { partition: 2 } } });
  for (let round = 0; round < 4; round += 1) await cluster.runPods();
  await cluster.client.delete(resources.pods, { namespace: "default", name: "web-0" });
  for (let round = 0; round < 4; round += 1) await cluster.runPods();
  assert.deepEqual(images(cluster), ["web-0 nginx:1", "web-1 nginx:1", "web-2 nginx:2"]);
  await cluster.stop();
});

test("OnDelete updates what users delete", async () => {
  const cluster = await startAll(web({ updateStrategy: { type: "OnDelete" } }));
  await change(cluster, template("nginx:2"));
  await cluster.runPods();
  await cluster.client.delete(resources.pods, { namespace: "default", name: "web-1" });
  for (let round = 0; round < 4; round += 1) await cluster.runPods();
  assert.deepEqual(images(cluster), ["web-0 nginx:1", "web-1 nginx:2", "web-2 nginx:1"]);
  await cluster.stop();
});

test("going back renumbers the former revision, and history is kept to its limit", async () => {
  const cluster = await startAll(web({ revisionHistoryLimit: 1 }));
  for (const image of ["nginx:2", "nginx:3", "nginx:2"]) {
    await change(cluster, template(image));
    for (let round = 0; round < 8; round += 1) await cluster.runPods();
  }
  const revisions = cluster.client.peekAll(resources.controllerRevisions).map(({ revision }) => revision);
  assert.deepEqual(
    revisions.toSorted((a, b) => a - b),
    [3, 4],
  );
  await cluster.stop();
});

test("claims are made before their pod, and owned as the retention policy says", async () => {
  const volumeClaimTemplates = [
    {
      metadata: { name: "data" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
    },
  ];
  const policy = { whenDeleted: "Retain", whenScaled: "Delete" };
  const cluster = await startAll(
    web({ volumeClaimTemplates, persistentVolumeClaimRetentionPolicy: policy, replicas: 2 }),
  );
  assert.deepEqual(cluster.names(resources.persistentVolumeClaims), ["data-web-0", "data-web-1"]);
  const [pod] = cluster.client.peekAll(resources.pods);
  assert.deepEqual(pod?.spec?.volumes, [{ name: "data", persistentVolumeClaim: { claimName: "data-web-0" } }]);
  await change(cluster, { replicas: 1 });
  const owners = cluster.client
    .peekAll(resources.persistentVolumeClaims)
    .map(({ metadata }) => (metadata?.ownerReferences ?? []).map(({ kind, name }) => `${kind} ${name}`));
  assert.deepEqual(owners, [[], ["Pod web-1"]]);
  await cluster.stop();
});

test("a failed replica is made again under its name", async () => {
  const cluster = await startAll(web({ replicas: 1 }));
  const [pod] = cluster.client.peekAll(resources.pods);
  cluster.client.put(resources.pods, { ...pod, status: { phase: "Failed" } });
  await cluster.runPods();
  await cluster.runPods();
  const [next] = cluster.client.peekAll(resources.pods);
  assert.equal(next?.metadata?.name, "web-0");
  assert.notEqual(next?.metadata?.uid, pod?.metadata?.uid);
  assert.ok(
    cluster
      .events()
      .includes("StatefulSet RecreatingFailedPod: StatefulSet default/web is recreating failed Pod web-0"),
  );
  await cluster.stop();
});
