import assert from "node:assert/strict";
import { test } from "node:test";
import { resources } from "../../api/resources.ts";
import { conflict } from "../../api/status.ts";
import type { Node, Pod, PodSpec } from "../../api/generated/types.ts";
import { createFakeApiClient } from "../../client/index.ts";
import type { FakeApiClientOptions } from "../../client/index.ts";
import { FakeClock, settle } from "../../machinery/fake-clock.ts";
import { silentLogger } from "../../machinery/log.ts";
import { createScheduler } from "./scheduler.ts";

function node(name: string, spec: Node["spec"] = {}): Node {
  return {
    metadata: { name, labels: { "kubernetes.io/hostname": name } },
    spec,
    status: {
      allocatable: { cpu: "2", memory: "4Gi", pods: "110" },
      conditions: [{ type: "Ready", status: "True" }],
    },
  };
}

function pod(name: string, spec: Partial<PodSpec> = {}): Pod {
  const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: "rs", controller: true };
  return {
    metadata: { namespace: "default", name, labels: { app: "web" }, ownerReferences: [owner] },
    spec: { containers: [{ name: "web" }], ...spec },
  };
}

async function start(nodes: readonly Node[], options: Pick<FakeApiClientOptions, "failWith"> = {}) {
  const clock = new FakeClock();
  const client = createFakeApiClient({ clock, ...options });
  for (const one of nodes) client.put(resources.nodes, one);
  const scheduler = createScheduler({ client, clock, log: silentLogger });
  const stop = new AbortController();
  const running = scheduler.run(stop.signal);
  await scheduler.ready;
  return {
    client,
    clock,
    places: () =>
      Object.fromEntries(client.peekAll(resources.pods).map(({ metadata, spec }) => [metadata?.name, spec?.nodeName])),
    events: () => client.peekAll(resources.events).map(({ reason, message }) => `${reason}: ${message}`),
    stop: async () => {
      stop.abort();
      await running;
    },
  };
}

test("a burst of pods is spread though no binding has come back yet", async () => {
  const { client, places, events, stop } = await start([node("node-1"), node("node-2"), node("node-3")]);
  for (const name of ["a", "b", "c"])
    client.put(resources.pods, { ...pod(name), metadata: { ...pod(name).metadata, uid: name } });
  await settle();
  assert.deepEqual(places(), { a: "node-1", b: "node-2", c: "node-3" });
  assert.ok(events().includes("Scheduled: Successfully assigned default/a to node-1"));
  await stop();
});

test("a pod that fits nowhere is told why, and goes as soon as a node can take it", async () => {
  const { client, places, events, stop } = await start([node("node-1", { unschedulable: true })]);
  await client.create(resources.pods, pod("a"));
  await settle();
  const message =
    "0/1 nodes are available: 1 node(s) were unschedulable. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
  const key = { namespace: "default", name: "a" };
  const [condition] = client.peek(resources.pods, key)?.status?.conditions ?? [];
  assert.equal(condition?.type, "PodScheduled");
  assert.equal(condition?.status, "False");
  assert.equal(condition?.reason, "Unschedulable");
  assert.equal(condition?.message, message);
  assert.deepEqual(events(), [`FailedScheduling: ${message}`]);
  await client.patch(resources.nodes, { name: "node-1" }, { type: "merge", body: { spec: { unschedulable: false } } });
  await settle();
  assert.deepEqual(places(), { a: "node-1" });
  await stop();
});

test("a pod goes when another leaves it room", async () => {
  const requests = { containers: [{ name: "web", resources: { requests: { cpu: "2" } } }] };
  const { client, places, stop } = await start([node("node-1")]);
  await client.create(resources.pods, pod("a", requests));
  await settle();
  await client.create(resources.pods, pod("b", requests));
  await settle();
  assert.deepEqual(places(), { a: "node-1", b: undefined });
  await client.delete(resources.pods, { namespace: "default", name: "a" }, { gracePeriodSeconds: 0 });
  await settle();
  assert.deepEqual(places(), { b: "node-1" });
  await stop();
});

test("a pod with a scheduling gate waits for its removal", async () => {
  const { client, places, stop } = await start([node("node-1")]);
  await client.create(resources.pods, pod("a", { schedulingGates: [{ name: "example.com/wait" }] }));
  await settle();
  const key = { namespace: "default", name: "a" };
  assert.equal(client.peek(resources.pods, key)?.status?.conditions?.[0]?.reason, "SchedulingGated");
  await client.patch(resources.pods, key, { type: "merge", body: { spec: { schedulingGates: [] } } });
  await settle();
  assert.deepEqual(places(), { a: "node-1" });
  await stop();
});

test("a pod of another scheduler is left alone", async () => {
  const { client, places, stop } = await start([node("node-1")]);
  await client.create(resources.pods, pod("a", { schedulerName: "mine" }));
  await settle();
  assert.deepEqual(places(), { a: undefined });
  await stop();
});

test("a binding that fails frees what the pod was counted for, and is tried again", async () => {
  let failures = 0;
  const { clock, client, places, stop } = await start([node("node-1")], {
    failWith: ({ subresource }) => {
      if (subresource !== "binding" || failures > 0) return undefined;
      failures += 1;
      return new Error("connection lost");
    },
  });
  await client.create(
    resources.pods,
    pod("a", { containers: [{ name: "web", resources: { requests: { cpu: "2" } } }] }),
  );
  await clock.advance(1000);
  assert.equal(failures, 1);
  assert.deepEqual(places(), { a: "node-1" });
  await stop();
});

test("a pod that another has bound meanwhile is dropped without an error", async () => {
  const { clock, client, places, stop } = await start([node("node-1")], {
    failWith: ({ subresource }) =>
      subresource === "binding" ? conflict({ group: "", name: "pods/binding" }, "a") : undefined,
  });
  await client.create(resources.pods, pod("a"));
  await clock.advance(10_000);
  assert.deepEqual(places(), { a: undefined });
  assert.equal(client.requests.filter(({ subresource }) => subresource === "binding").length, 1);
  await stop();
});

test("a more important pod makes another go, and its room is kept for it", async () => {
  const requests = (priority: number): Partial<PodSpec> => ({
    priority,
    containers: [{ name: "web", resources: { requests: { cpu: "2" } } }],
  });
  const key = (name: string) => ({ namespace: "default", name });
  const { client, events, places, stop } = await start([node("node-1")]);
  await client.create(resources.pods, pod("low", requests(0)));
  await settle();
  await client.create(resources.pods, {
    ...pod("never", requests(100)),
    spec: { ...pod("never", requests(100)).spec, preemptionPolicy: "Never" } as PodSpec,
  });
  await settle();
  assert.equal(client.peek(resources.pods, key("low"))?.metadata?.deletionTimestamp, undefined);
  await client.create(resources.pods, pod("high", requests(1000)));
  await settle();
  const low = client.peek(resources.pods, key("low"));
  assert.notEqual(low?.metadata?.deletionTimestamp, undefined);
  assert.equal(
    low?.status?.conditions?.find(({ type }) => type === "DisruptionTarget")?.reason,
    "PreemptionByScheduler",
  );
  const high = client.peek(resources.pods, key("high"));
  assert.equal(high?.status?.nominatedNodeName, "node-1");
  assert.ok(
    events().includes(`Preempted: Preempted by pod ${high?.metadata?.uid} on node node-1`),
    events().join("\n"),
  );
  assert.ok(events().includes("FailedScheduling: 0/1 nodes are available: 1 Insufficient cpu."));
  client.remove(resources.pods, key("low"));
  await settle();
  assert.deepEqual(places(), { never: undefined, high: "node-1" });
  await stop();
});
