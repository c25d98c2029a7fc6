/** Where Services get their addresses from: ServiceCIDRs, IPAddresses, and what the server and its controller keep of them. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Service } from "../../src/api/generated/types.ts";
import { resources } from "../../src/api/resources.ts";
import { ApiError } from "../../src/api/status.ts";
import type { ApiClient } from "../../src/client/index.ts";
import { createMemoryStore } from "../../src/storage/index.ts";
import { startTestServer } from "./api-server.ts";
import type { TestServer } from "./api-server.ts";
import { startControllers } from "./controllers.ts";
import { eventually } from "./eventually.ts";

const store = createMemoryStore();
let started: TestServer | undefined;
let stopControllers: (() => Promise<void>) | undefined;
let admin: ApiClient;

before(async () => {
  started = await startTestServer({ store });
  stopControllers = await startControllers(started);
  admin = started.server.client({ name: "root", groups: ["system:masters"] });
});
after(async () => {
  await stopControllers?.();
  await started?.close();
});

const service = (name: string, clusterIP?: string): Service => ({
  metadata: { namespace: "default", name },
  spec: { ports: [{ port: 80 }], ...(clusterIP === undefined ? {} : { clusterIP }) },
});

test("the cluster's ranges are ServiceCIDR kubernetes from the start, held and ready", async () => {
  const made = await eventually("the finalizer", async () => {
    const found = await admin.get(resources.serviceCidrs, { name: "kubernetes" });
    const isReady = found.status?.conditions?.[0]?.message === "Kubernetes Service CIDR is ready";
    return isReady ? found : undefined;
  });
  assert.deepEqual(made.spec?.cidrs, ["10.96.0.0/12"]);
  assert.deepEqual(made.metadata?.finalizers, ["networking.k8s.io/service-cidr-finalizer"]);
  const [condition] = made.status?.conditions ?? [];
  assert.deepEqual([condition?.type, condition?.status, condition?.reason], ["Ready", "True", ""]);
});

test("a Service and its IPAddress are stored at once, and the address is said to be its", async () => {
  const { spec } = await admin.create(resources.services, service("web"));
  const name = spec?.clusterIP ?? "";
  const address = await admin.get(resources.ipAddresses, { name });
  assert.deepEqual(address.spec?.parentRef, { resource: "services", namespace: "default", name: "web" });
  await admin.delete(resources.services, { namespace: "default", name: "web" });
  await assert.rejects(admin.get(resources.ipAddresses, { name }), { code: 404 });
});

test("an added range is used as soon as it is there; one that no range holds is refused", async () => {
  await assert.rejects(
    admin.create(resources.services, service("far", "10.9.0.5")),
    (error) =>
      error instanceof ApiError &&
      error.message ===
        'Service "far" is invalid: spec.clusterIPs: Invalid value: ["10.9.0.5"]: failed to allocate IP 10.9.0.5: the provided network does not match the current range',
  );
  await admin.create(resources.serviceCidrs, { metadata: { name: "more" }, spec: { cidrs: ["10.9.0.0/24"] } });
  const { spec } = await admin.create(resources.services, service("far", "10.9.0.5"));
  assert.equal(spec?.clusterIP, "10.9.0.5");
  await eventually("the finalizer", async () => {
    const { metadata } = await admin.get(resources.serviceCidrs, { name: "more" });
    return metadata?.finalizers;
  });
  await admin.delete(resources.serviceCidrs, { name: "more" });
  await eventually("the range is held", async () => {
    const { status } = await admin.get(resources.serviceCidrs, { name: "more" });
    return status?.conditions?.find(({ type, reason }) => type === "Ready" && reason === "Terminating");
  });
  await assert.rejects(
    admin.create(resources.services, service("late", "10.9.0.6")),
    /does not match the current range/,
  );
});

test("an IPAddress that somebody takes from a Service is made again, with an event", async () => {
  const { spec } = await admin.create(resources.services, service("robbed"));
  const name = spec?.clusterIP ?? "";
  const first = await admin.get(resources.ipAddresses, { name });
  await admin.delete(resources.ipAddresses, { name });
  await eventually("the new IPAddress", async () => {
    const { items } = await admin.list(resources.ipAddresses, { fieldSelector: `metadata.name=${name}` });
    return items[0] !== undefined && items[0].metadata?.uid !== first.metadata?.uid ? items : undefined;
  });
  const event = await eventually("the event", async () => {
    const { items } = await admin.list(resources.events, { namespace: "default" });
    return items.find(({ involvedObject }) => involvedObject.name === "robbed");
  });
  assert.deepEqual(
    [event.type, event.reason, event.message, event.source?.component],
    [
      "Warning",
      "ClusterIPNotAllocated",
      `Cluster IP [IPv4]: ${name} is not allocated; repairing`,
      "ipallocator-repair-controller",
    ],
  );
});
