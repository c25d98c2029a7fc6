import assert from "node:assert/strict";
import { test } from "node:test";
import { resources } from "../../api/resources.ts";
import { settle } from "../../machinery/fake-clock.ts";
import { startCluster } from "./test-cluster.ts";

test("a ReplicationController makes, adopts and removes pods as a ReplicaSet does, under its own kind", async () => {
  const cluster = await startCluster(["replicationcontroller-controller"]);
  const { client } = cluster;
  const labels = { app: "web" };
  const spec = { containers: [{ name: "web", image: "nginx" }] };
  await client.create(resources.pods, { metadata: { namespace: "default", name: "mine", labels }, spec });
  await client.create(resources.replicationControllers, {
    metadata: { namespace: "default", name: "web" },
    spec: { replicas: 3, selector: labels, template: { metadata: { labels }, spec } },
  });
  await cluster.runPods();
  const owners = client.peekAll(resources.pods).map(({ metadata }) => metadata?.ownerReferences?.[0]);
  assert.deepEqual(
    owners.map((owner) => `${owner?.apiVersion} ${owner?.kind} ${owner?.name}`),
    Array.from({ length: 3 }, () => "v1 ReplicationController web"),
  );
  const key = { namespace: "default", name: "web" };
  assert.equal(client.peek(resources.replicationControllers, key)?.status?.readyReplicas, 3);
  await client.patch(resources.replicationControllers, key, { type: "merge", body: { spec: { replicas: 1 } } });
  await settle();
  await cluster.runPods();
  assert.equal(cluster.names(resources.pods).length, 1);
  assert.ok(
    cluster.events().some((event) => event.startsWith("ReplicationController SuccessfulDelete: Deleted pod: ")),
  );
  await cluster.stop();
});
