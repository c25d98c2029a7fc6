import assert from "node:assert/strict";
import { test } from "node:test";
import { resources } from "../../api/resources.ts";
import type { PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec } from "../../api/generated/types.ts";
import { settle } from "../../machinery/fake-clock.ts";
import { standardStorageClass } from "../../model/persistent-volumes/index.ts";
import { startCluster } from "./test-cluster.ts";
import type { TestCluster } from "./test-cluster.ts";

const controllers = ["persistentvolume-binder-controller"] as const;
const key = { namespace: "default", name: "data" };

function claim(spec: Partial<PersistentVolumeClaimSpec> = {}): PersistentVolumeClaim {
  return {
    metadata: { ...key },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec },
  };
}

function volume(name: string, storage: string, accessModes = ["ReadWriteOnce"]): PersistentVolume {
  return {
    metadata: { name },
    spec: { capacity: { storage }, accessModes, persistentVolumeReclaimPolicy: "Retain", hostPath: { path: "/data" } },
    status: { phase: "Pending" },
  };
}

function claimed({ client }: TestCluster): readonly (string | undefined)[] {
  const found = client.peek(resources.persistentVolumeClaims, key);
  return [found?.status?.phase ?? "Pending", found?.spec?.volumeName];
}

function phase({ client }: TestCluster, name: string): string | undefined {
  return client.peek(resources.persistentVolumes, { name })?.status?.phase;
}

test("a claim takes the smallest volume that suits it, which is kept when the claim goes", async () => {
  const cluster = await startCluster(controllers);
  for (const one of [
    volume("large", "9Gi"),
    volume("right", "2Gi"),
    volume("small", "1Mi"),
    volume("read", "1Gi", ["ReadOnlyMany"]),
  ])
    await cluster.client.create(resources.persistentVolumes, one);
  await cluster.client.create(resources.persistentVolumeClaims, claim());
  await settle();
  assert.deepEqual(claimed(cluster), ["Bound", "right"]);
  assert.deepEqual([phase(cluster, "right"), phase(cluster, "large")], ["Bound", "Available"]);
  await cluster.client.delete(resources.persistentVolumeClaims, key);
  await settle();
  assert.equal(phase(cluster, "right"), "Released");
  await cluster.stop();
});

test("a claim of the standard class waits for a pod's node, gets a folder there, and takes it along", async () => {
  const cluster = await startCluster(controllers);
  await cluster.client.create(resources.storageClasses, standardStorageClass);
  await cluster.client.create(resources.persistentVolumeClaims, claim({ storageClassName: "standard" }));
  await settle();
  assert.deepEqual(claimed(cluster), ["Pending", undefined]);
  const message = "waiting for first consumer to be created before binding";
  assert.ok(cluster.events().includes(`PersistentVolumeClaim WaitForFirstConsumer: ${message}`));
  const volumes = [{ name: "data", persistentVolumeClaim: { claimName: "data" } }];
  await cluster.client.create(resources.pods, {
    metadata: { namespace: "default", name: "web" },
    spec: { containers: [], nodeName: "node-2", volumes },
  });
  await settle();
  const [made] = cluster.client.peekAll(resources.persistentVolumes);
  assert.deepEqual(claimed(cluster), ["Bound", made?.metadata?.name]);
  assert.deepEqual(made?.spec?.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions?.[0]?.values, ["node-2"]);
  await cluster.client.delete(resources.persistentVolumeClaims, key);
  await settle();
  assert.deepEqual(cluster.names(resources.persistentVolumes), []);
  await cluster.stop();
});

test("a claim without a class or with an unknown one says why it waits", async () => {
  for (const [storageClassName, text] of [
    ["", "FailedBinding: no persistent volumes available for this claim and no storage class is set"],
    ["fast", 'ProvisioningFailed: storageclass.storage.k8s.io "fast" not found'],
  ] as const) {
    const cluster = await startCluster(controllers);
    await cluster.client.create(resources.persistentVolumeClaims, claim({ storageClassName }));
    await settle();
    assert.ok(cluster.events().includes(`PersistentVolumeClaim ${text}`), cluster.events().join("\n"));
    await cluster.stop();
  }
});

test("a claim that names a volume which is another's stays unbound, and one whose volume is gone is lost", async () => {
  const cluster = await startCluster(controllers);
  const taken = volume("taken", "2Gi");
  const claimRef = { namespace: "default", name: "other", uid: "other" };
  await cluster.client.create(resources.persistentVolumes, { ...taken, spec: { ...taken.spec, claimRef } });
  await cluster.client.create(resources.persistentVolumeClaims, claim({ volumeName: "taken" }));
  await settle();
  assert.deepEqual(claimed(cluster), ["Pending", "taken"]);
  await cluster.client.delete(resources.persistentVolumeClaims, key);
  await cluster.client.create(resources.persistentVolumes, volume("mine", "2Gi"));
  await cluster.client.create(resources.persistentVolumeClaims, claim({ volumeName: "mine" }));
  await settle();
  assert.deepEqual(claimed(cluster), ["Bound", "mine"]);
  await cluster.client.delete(resources.persistentVolumes, { name: "mine" });
  await settle();
  assert.deepEqual(claimed(cluster), ["Lost", "mine"]);
  await cluster.stop();
});
