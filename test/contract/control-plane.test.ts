/** API server, controllers and scheduler together, as one process runs them; a hand plays the kubelets. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { builtinResources } from "../../src/api/builtin.ts";
import type { Deployment, Pod } from "../../src/api/generated/types.ts";
import { keyOf } from "../../src/api/object.ts";
import { resources } from "../../src/api/resources.ts";
import type { ApiClient } from "../../src/client/index.ts";
import { createApiServer, serviceAccountUser } from "../../src/components/kube-apiserver/index.ts";
import { createControllerManager } from "../../src/components/kube-controller-manager/index.ts";
import { createScheduler } from "../../src/components/kube-scheduler/index.ts";
import { systemClock as clock } from "../../src/machinery/clock.ts";
import { silentLogger as log } from "../../src/machinery/log.ts";
import { createClusterPki } from "../../src/machinery/pki/index.ts";
import { createMemoryStore } from "../../src/storage/index.ts";
import { exampleCluster } from "../../src/model/cluster-plan/index.ts";
import { eventually } from "./eventually.ts";

const folder = mkdtempSync(join(tmpdir(), "netloom-control-plane-"));
const config = exampleCluster(folder, { nodes: [], apiPort: 0 });

const stop = new AbortController();
let client: ApiClient;
let running: Promise<unknown>;

async function addNode(name: string): Promise<void> {
  await client.create(resources.nodes, { metadata: { name, labels: { "kubernetes.io/hostname": name } } });
  const amounts = { cpu: "2", memory: "4Gi", pods: "110" };
  const time = new Date().toISOString();
  const conditions = [
    { type: "Ready", status: "True", reason: "KubeletReady", lastHeartbeatTime: time, lastTransitionTime: time },
  ];
  const body = { status: { capacity: amounts, allocatable: amounts, conditions } };
  // The node controller writes at the same time.
  await client.patch(resources.nodes, { name }, { type: "merge", body }, { subresource: "status" });
}

/** Bound pods become ready, pods that are asked to go are gone. */
async function runPods(): Promise<void> {
  let addresses = 1;
  for await (const event of client.watch(resources.pods, { signal: stop.signal })) {
    if (event.type !== "ADDED" && event.type !== "MODIFIED") continue;
    const pod: Pod = event.object;
    if (pod.metadata?.deletionTimestamp !== undefined) {
      await client.delete(resources.pods, keyOf(pod), { gracePeriodSeconds: 0 }).catch(() => undefined);
    } else if (pod.spec?.nodeName !== undefined && pod.status?.phase !== "Running") {
      addresses += 1;
      const ip = `10.244.1.${addresses}`;
      const ready = { type: "Ready", status: "True", lastTransitionTime: new Date().toISOString() };
      const body = { status: { phase: "Running", podIP: ip, podIPs: [{ ip }], conditions: [ready] } };
      await client.patch(resources.pods, keyOf(pod), { type: "strategic", body }, { subresource: "status" });
    }
  }
}

async function makeNamespace(name: string): Promise<void> {
  await client.create(resources.namespaces, { metadata: { name } });
  await eventually(`${name} has its service account`, async () => {
    const { items } = await client.list(resources.serviceAccounts, { namespace: name });
    return items.length === 1;
  });
}

function web(namespace: string): Deployment {
  return {
    metadata: { namespace, name: "web" },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "web", image: "nginx:1" }] },
      },
    },
  };
}

async function readyEndpoints(namespace: string): Promise<readonly string[]> {
  const { items } = await client.list(resources.endpointSlices, { namespace });
  const endpoints = items.flatMap((slice) => slice.endpoints ?? []);
  return endpoints.filter(({ conditions }) => conditions?.ready === true).map(({ nodeName = "" }) => nodeName);
}

// A suite of its own: without kubelets the nodes are lost 40 s after they were made.
describe("control plane", () => {
  before(async () => {
    const registry = builtinResources();
    const pki = createClusterPki({ config, clock });
    const listeners = [{ host: "127.0.0.1", port: 0 }];
    const api = createApiServer({ config, store: createMemoryStore(), registry, pki, listeners, clock, log });
    const runningApi = api.run(stop.signal);
    await api.ready;
    client = api.client({ name: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] });
    const deletableResources = registry.definitions
      .filter(({ verbs }) => verbs.includes("delete") && verbs.includes("watch"))
      .map(({ group, version, plural, kind, isNamespaced }) => ({ group, version, plural, kind, isNamespaced }));
    const everyone = ["system:authenticated"];
    const controllers = createControllerManager({
      client: api.client({ name: "system:kube-controller-manager", groups: everyone }),
      clientFor: (account) => api.client(serviceAccountUser("kube-system", account)),
      clock,
      log,
      rootCa: pki.caCertificate,
      deletableResources,
    });
    const scheduler = createScheduler({
      client: api.client({ name: "system:kube-scheduler", groups: everyone }),
      clock,
      log,
    });
    running = Promise.all([runningApi, controllers.run(stop.signal), scheduler.run(stop.signal), runPods()]);
    await Promise.all([controllers.ready, scheduler.ready]);
    for (const name of ["node-1", "node-2", "node-3"]) await addNode(name);
  });

  after(async () => {
    stop.abort();
    await running;
    rmSync(folder, { recursive: true });
  });

  test("a Deployment's three pods come to three nodes and into the Service's endpoints", async () => {
    await makeNamespace("first");
    const spec = { selector: { app: "web" }, ports: [{ port: 80 }] };
    await client.create(resources.services, { metadata: { namespace: "first", name: "web" }, spec });
    await client.create(resources.deployments, web("first"));
    await eventually("three endpoints", async () => (await readyEndpoints("first")).length === 3);
    assert.deepEqual(new Set(await readyEndpoints("first")), new Set(["node-1", "node-2", "node-3"]));
  });

  test("a rolling update leaves the Service three ready endpoints at every moment", async () => {
    const key = { namespace: "first", name: "web" };
    const containers = [{ name: "web", image: "nginx:2" }];
    const body = { spec: { template: { spec: { containers } } } };
    await client.patch(resources.deployments, key, { type: "strategic", body });
    let fewest = 3;
    await eventually("the rollout is complete", async () => {
      fewest = Math.min(fewest, (await readyEndpoints("first")).length);
      const { metadata, status } = await client.get(resources.deployments, key);
      const isSeen = status?.observedGeneration === metadata?.generation;
      return isSeen && status?.updatedReplicas === 3 && status.replicas === 3 && status.availableReplicas === 3;
    });
    assert.equal(fewest, 3);
  });

  test("deleting a Deployment in the foreground takes it away after all it made", async () => {
    await client.delete(
      resources.deployments,
      { namespace: "first", name: "web" },
      { propagationPolicy: "Foreground" },
    );
    await eventually("the Deployment is gone", async () => {
      const { items } = await client.list(resources.deployments, { namespace: "first" });
      return items.length === 0;
    });
    assert.equal((await client.list(resources.replicaSets, { namespace: "first" })).items.length, 0);
    assert.equal((await client.list(resources.pods, { namespace: "first" })).items.length, 0);
  });

  test("deleting a namespace takes everything in it away", async () => {
    await makeNamespace("second");
    await client.create(resources.deployments, web("second"));
    await eventually(
      "pods",
      async () => (await client.list(resources.pods, { namespace: "second" })).items.length === 3,
    );
    await client.delete(resources.namespaces, { name: "second" });
    await eventually("the namespace is gone", async () => {
      const { items } = await client.list(resources.namespaces);
      return items.every(({ metadata }) => metadata?.name !== "second");
    });
    const { items } = await client.list(resources.pods);
    assert.deepEqual(
      items.filter(({ metadata }) => metadata?.namespace === "second"),
      [],
    );
  });
});
