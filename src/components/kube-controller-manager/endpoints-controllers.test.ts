import assert from "node:assert/strict";
import { test } from "node:test";
import { resources } from "../../api/resources.ts";
import type { Pod, Service } from "../../api/generated/types.ts";
import { settle } from "../../machinery/fake-clock.ts";
import { startCluster } from "./test-cluster.ts";
import type { TestCluster } from "./test-cluster.ts";

const controllers = ["endpointslice-controller", "endpoints-controller", "endpointslice-mirroring-controller"] as const;
const key = { namespace: "default", name: "web" };

const service: Service = {
  metadata: key,
  spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: "http", protocol: "TCP" }], ipFamilies: ["IPv4"] },
};

function pod(name: string): Pod {
  return {
    metadata: { namespace: "default", name, labels: { app: "web" } },
    spec: { containers: [{ name: "web", image: "nginx", ports: [{ name: "http", containerPort: 8080 }] }] },
  };
}

/** Of every slice: its endpoints as `pod ready/serving/terminating`. */
function slices({ client }: TestCluster): readonly (readonly string[])[] {
  return client
    .peekAll(resources.endpointSlices)
    .map(({ endpoints }) =>
      (endpoints ?? []).map(
        ({ targetRef, conditions: { ready, serving, terminating } = {} }) =>
          `${targetRef?.name} ${ready}/${serving}/${terminating}`,
      ),
    );
}

function addresses({ client }: TestCluster): readonly string[] {
  const subsets = client.peek(resources.endpoints, key)?.subsets ?? [];
  return subsets.flatMap(({ addresses: list }) => (list ?? []).map(({ ip }) => ip));
}

test("a Service without pods has an empty slice and empty Endpoints", async () => {
  const cluster = await startCluster(controllers);
  await cluster.client.create(resources.services, service);
  await settle();
  const [slice] = cluster.client.peekAll(resources.endpointSlices);
  assert.match(slice?.metadata?.name ?? "", /^web-\w{5}$/);
  assert.deepEqual(slice?.metadata?.labels, {
    "kubernetes.io/service-name": "web",
    "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
  });
  assert.deepEqual(slice?.endpoints, []);
  assert.deepEqual(cluster.client.peek(resources.endpoints, key)?.subsets, []);
  await cluster.stop();
});

test("pods enter when ready and leave the moment their deletion is asked for", async () => {
  const cluster = await startCluster(controllers);
  await cluster.client.create(resources.services, service);
  await cluster.client.create(resources.pods, pod("web-1"));
  await cluster.client.create(resources.pods, pod("web-2"));
  await cluster.runPods();
  assert.deepEqual(slices(cluster), [["web-1 true/true/false", "web-2 true/true/false"]]);
  assert.deepEqual(addresses(cluster), ["10.244.1.11", "10.244.1.12"]);
  await cluster.client.delete(resources.pods, { namespace: "default", name: "web-1" });
  await settle();
  assert.deepEqual(slices(cluster), [["web-1 false/true/true", "web-2 true/true/false"]]);
  assert.deepEqual(addresses(cluster), ["10.244.1.12"]);
  await cluster.runPods();
  assert.deepEqual(slices(cluster), [["web-2 true/true/false"]]);
  assert.equal(cluster.names(resources.endpointSlices).length, 1, "the same slice all along");
  const [slice] = cluster.client.peekAll(resources.endpointSlices);
  assert.deepEqual(slice?.ports, [{ name: "", port: 8080, protocol: "TCP" }]);
  await cluster.stop();
});

test("a pod whose labels change leaves one Service and enters another", async () => {
  const cluster = await startCluster(controllers);
  await cluster.client.create(resources.services, service);
  await cluster.client.create(resources.services, {
    ...service,
    metadata: { namespace: "default", name: "other" },
    spec: { ...service.spec, selector: { app: "other" } },
  });
  await cluster.client.create(resources.pods, pod("web-1"));
  await cluster.runPods();
  const body = { metadata: { labels: { app: "other" } } };
  await cluster.client.patch(resources.pods, { namespace: "default", name: "web-1" }, { type: "merge", body });
  await settle();
  assert.deepEqual(addresses(cluster), []);
  const other = cluster.client.peek(resources.endpoints, { namespace: "default", name: "other" });
  assert.equal(other?.subsets?.[0]?.addresses?.[0]?.ip, "10.244.1.11");
  await cluster.stop();
});

test("endpoints settle: nothing is written when nothing changes", async () => {
  const cluster = await startCluster(controllers);
  await cluster.client.create(resources.services, service);
  await cluster.client.create(resources.pods, pod("web-1"));
  await cluster.runPods();
  const before = cluster.client.requests.length;
  const body = { metadata: { annotations: { note: "no matter" } } };
  await cluster.client.patch(resources.pods, { namespace: "default", name: "web-1" }, { type: "merge", body });
  await cluster.clock.advance(60_000);
  assert.equal(cluster.client.requests.length, before + 1);
  await cluster.stop();
});

test("Endpoints kept by hand are mirrored into a slice and not touched", async () => {
  const cluster = await startCluster(controllers);
  const { selector: _selector, ...spec } = service.spec ?? {};
  await cluster.client.create(resources.services, { metadata: key, spec });
  const subsets = [{ addresses: [{ ip: "192.0.2.7" }], ports: [{ port: 5432, protocol: "TCP" }] }];
  await cluster.client.create(resources.endpoints, { metadata: key, subsets });
  await settle();
  const [slice] = cluster.client.peekAll(resources.endpointSlices);
  assert.equal(
    slice?.metadata?.labels?.["endpointslice.kubernetes.io/managed-by"],
    "endpointslicemirroring-controller.k8s.io",
  );
  assert.deepEqual(slice?.endpoints, [{ addresses: ["192.0.2.7"], conditions: { ready: true } }]);
  assert.deepEqual(cluster.client.peek(resources.endpoints, key)?.subsets, subsets);
  await cluster.client.delete(resources.endpoints, key);
  await settle();
  assert.deepEqual(cluster.names(resources.endpointSlices), []);
  await cluster.stop();
});

test("deleting a Service removes its Endpoints", async () => {
  const cluster = await startCluster(controllers);
  await cluster.client.create(resources.services, service);
  await settle();
  await cluster.client.delete(resources.services, key);
  await settle();
  assert.deepEqual(cluster.names(resources.endpoints), []);
  await cluster.stop();
});
