import assert from "node:assert/strict";
import { test } from "node:test";
import { resources } from "../../api/resources.ts";
import { settle } from "../../machinery/fake-clock.ts";
import { startCluster } from "./test-cluster.ts";
import type { TestCluster } from "./test-cluster.ts";

/** As the API server keeps namespaces: with the finalizer of their contents. */
function putNamespace({ client }: TestCluster, rest: { readonly deletionTimestamp?: string } = {}): void {
  client.put(resources.namespaces, {
    // The fake server knows only this kind of finalizer; the real one keeps a namespace for those of its spec.
    metadata: { name: "shop", uid: "shop", finalizers: ["example.com/keep"], ...rest },
    spec: { finalizers: ["kubernetes"] },
    status: { phase: rest.deletionTimestamp === undefined ? "Active" : "Terminating" },
  });
}

const leaving = { deletionTimestamp: "2026-11-20T08:00:00Z" };

test("a namespace has the service account default and the CA bundle, and gets them back", async () => {
  const cluster = await startCluster(["serviceaccount-controller", "root-ca-certificate-publisher-controller"]);
  putNamespace(cluster);
  await settle();
  const key = { namespace: "shop", name: "kube-root-ca.crt" };
  assert.notEqual(cluster.client.peek(resources.serviceAccounts, { namespace: "shop", name: "default" }), undefined);
  assert.deepEqual(cluster.client.peek(resources.configMaps, key)?.data, { "ca.crt": "-----BEGIN CERTIFICATE-----" });
  await cluster.client.delete(resources.serviceAccounts, { namespace: "shop", name: "default" });
  await cluster.client.patch(resources.configMaps, key, {
    type: "merge",
    body: { data: { "ca.crt": "forged", more: "x" } },
  });
  await settle();
  assert.notEqual(cluster.client.peek(resources.serviceAccounts, { namespace: "shop", name: "default" }), undefined);
  assert.deepEqual(cluster.client.peek(resources.configMaps, key)?.data, { "ca.crt": "-----BEGIN CERTIFICATE-----" });
  await cluster.stop();
});

test("a namespace that is deleted loses its pods first, then the rest, then its finalizer", async () => {
  const cluster = await startCluster(["namespace-controller"]);
  putNamespace(cluster);
  const metadata = { namespace: "shop", name: "web" };
  cluster.client.put(resources.pods, { metadata, spec: { containers: [], nodeName: "node-1" } });
  cluster.client.put(resources.services, { metadata });
  cluster.client.put(resources.services, { metadata: { namespace: "default", name: "other" } });
  putNamespace(cluster, leaving);
  await settle();
  assert.notEqual(cluster.client.peek(resources.pods, metadata)?.metadata?.deletionTimestamp, undefined);
  assert.notEqual(cluster.client.peek(resources.services, metadata), undefined, "the pod still needs it");
  const conditions = cluster.client.peek(resources.namespaces, { name: "shop" })?.status?.conditions ?? [];
  assert.deepEqual(conditions.map(({ type, status, message }) => `${type}=${status}: ${message}`).slice(3, 4), [
    "NamespaceContentRemaining=True: Some resources are remaining: pods. has 1 resource instances",
  ]);
  cluster.client.remove(resources.pods, metadata);
  await settle();
  assert.equal(cluster.client.peek(resources.services, metadata), undefined);
  assert.deepEqual(cluster.names(resources.services), ["other"]);
  const finalizations = cluster.client.requests.filter(({ subresource }) => subresource === "finalize");
  assert.equal(finalizations.length, 1);
  await cluster.stop();
});

test("a finalizer inside a namespace that is deleted is named in its conditions", async () => {
  const cluster = await startCluster(["namespace-controller"]);
  putNamespace(cluster);
  cluster.client.put(resources.configMaps, {
    metadata: { namespace: "shop", name: "held", finalizers: ["example.com/hold"] },
  });
  putNamespace(cluster, leaving);
  await settle();
  const conditions = cluster.client.peek(resources.namespaces, { name: "shop" })?.status?.conditions ?? [];
  assert.equal(
    conditions.find(({ type }) => type === "NamespaceFinalizersRemaining")?.message,
    "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
  );
  await cluster.stop();
});
