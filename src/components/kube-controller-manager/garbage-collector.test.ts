import assert from "node:assert/strict";
import { test } from "node:test";
import { resources } from "../../api/resources.ts";
import type { OwnerReference } from "../../api/generated/types.ts";
import { conflict } from "../../api/status.ts";
import { settle } from "../../machinery/fake-clock.ts";
import { startCluster } from "./test-cluster.ts";
import type { TestCluster } from "./test-cluster.ts";

const controllers = ["garbage-collector-controller"] as const;
const namespace = "default";

/** A ConfigMap stands for anything: the collector treats all kinds alike. */
async function make(
  { client }: TestCluster,
  name: string,
  owners: readonly OwnerReference[] = [],
  finalizers: readonly string[] = [],
): Promise<OwnerReference> {
  const made = await client.create(resources.configMaps, {
    metadata: { namespace, name, ownerReferences: owners, finalizers },
  });
  await settle();
  return { apiVersion: "v1", kind: "ConfigMap", name, uid: made.metadata?.uid ?? "" };
}

async function remove({ client }: TestCluster, name: string): Promise<void> {
  await client.delete(resources.configMaps, { namespace, name });
  await settle();
}

test("what an owner owned goes with it, to the last generation", async () => {
  const cluster = await startCluster(controllers);
  const grandparent = await make(cluster, "grandparent");
  const parent = await make(cluster, "parent", [grandparent]);
  await make(cluster, "child", [parent]);
  await make(cluster, "stranger");
  await remove(cluster, "grandparent");
  assert.deepEqual(cluster.names(resources.configMaps), ["stranger"]);
  await cluster.stop();
});

test("an object with another owner left only loses the reference", async () => {
  const cluster = await startCluster(controllers);
  const first = await make(cluster, "first");
  const second = await make(cluster, "second");
  await make(cluster, "child", [first, second]);
  await remove(cluster, "first");
  const child = cluster.client.peek(resources.configMaps, { namespace, name: "child" });
  assert.deepEqual(child?.metadata?.ownerReferences, [second]);
  await cluster.stop();
});

test("an object made with an owner that never was is deleted", async () => {
  const cluster = await startCluster(controllers);
  const owner = await make(cluster, "owner");
  await make(cluster, "impostor", [{ ...owner, uid: "another-uid" }]);
  assert.deepEqual(cluster.names(resources.configMaps), ["owner"]);
  await cluster.stop();
});

test("an owner of a kind that nobody knows keeps its dependents", async () => {
  const cluster = await startCluster(controllers);
  await make(cluster, "child", [{ apiVersion: "example.com/v1", kind: "Widget", name: "w", uid: "w" }]);
  assert.deepEqual(cluster.names(resources.configMaps), ["child"]);
  await cluster.stop();
});

test("foreground: the owner waits for the dependents that block it", async () => {
  const cluster = await startCluster(controllers);
  const owner = await make(cluster, "owner", [], ["foregroundDeletion"]);
  await make(cluster, "child", [{ ...owner, blockOwnerDeletion: true }], ["example.com/hold"]);
  await remove(cluster, "owner");
  assert.deepEqual(cluster.names(resources.configMaps), ["child", "owner"], "the child's finalizer holds both");
  const child = cluster.client.peek(resources.configMaps, { namespace, name: "child" });
  assert.notEqual(child?.metadata?.deletionTimestamp, undefined);
  const body = { metadata: { finalizers: [] } };
  await cluster.client.patch(resources.configMaps, { namespace, name: "child" }, { type: "merge", body });
  await settle();
  assert.deepEqual(cluster.names(resources.configMaps), []);
  await cluster.stop();
});

test("orphan: the dependents stay and forget the owner", async () => {
  const cluster = await startCluster(controllers);
  const owner = await make(cluster, "owner", [], ["orphan"]);
  await make(cluster, "child", [owner]);
  await remove(cluster, "owner");
  assert.deepEqual(cluster.names(resources.configMaps), ["child"]);
  const child = cluster.client.peek(resources.configMaps, { namespace, name: "child" });
  assert.deepEqual(child?.metadata?.ownerReferences, []);
  await cluster.stop();
});

test("foreground: a circle of owners does not wait for itself", async () => {
  const cluster = await startCluster(controllers);
  const names = ["first", "second", "third"];
  const uids: string[] = [];
  for (const name of names) uids.push((await make(cluster, name)).uid);
  for (const [index, name] of names.entries()) {
    const before = (index + 2) % 3;
    const owner = { apiVersion: "v1", kind: "ConfigMap", name: names[before] ?? "", uid: uids[before] ?? "" };
    const body = { metadata: { ownerReferences: [{ ...owner, blockOwnerDeletion: true }] } };
    await cluster.client.patch(resources.configMaps, { namespace, name }, { type: "merge", body });
  }
  await settle();
  assert.deepEqual(cluster.names(resources.configMaps), names.toSorted());
  await cluster.client.delete(resources.configMaps, { namespace, name: "first" }, { propagationPolicy: "Foreground" });
  for (let round = 0; round < 10; round += 1) await settle();
  assert.deepEqual(cluster.names(resources.configMaps), []);
  await cluster.stop();
});

test("an object that changes while it is collected is collected at the next look", async () => {
  let refusals = 1;
  const cluster = await startCluster(controllers, {
    failWith: ({ verb, resource }) => {
      if (verb !== "delete" || resource !== "configmaps" || refusals === 0) return undefined;
      refusals -= 1;
      return conflict({ group: "", name: "configmaps" }, "child");
    },
  });
  const owner = await make(cluster, "owner");
  await make(cluster, "child", [owner]);
  cluster.client.remove(resources.configMaps, { namespace, name: "owner" });
  await settle();
  await cluster.clock.advance(1000);
  await settle();
  assert.deepEqual(cluster.names(resources.configMaps), []);
  assert.equal(refusals, 0);
  await cluster.stop();
});
