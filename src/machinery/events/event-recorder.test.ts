import assert from "node:assert/strict";
import { test } from "node:test";
import type { CoreV1Event } from "../../api/generated/types.ts";
import type { KubernetesObject, ObjectKey, Resource } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import { FakeClock, settle } from "../fake-clock.ts";
import { silentLogger } from "../log.ts";
import { createEventRecorder, referenceTo } from "./event-recorder.ts";
import type { EventWriter } from "./event-recorder.ts";

/** Holds events as a server would, and can fail. */
class MemoryWriter implements EventWriter {
  readonly events = new Map<string, CoreV1Event>();
  error: Error | undefined;

  create<T extends KubernetesObject>(_resource: Resource<T>, object: T): Promise<T> {
    if (this.error !== undefined) return Promise.reject(this.error);
    this.events.set(object.metadata?.name ?? "", object as unknown as CoreV1Event);
    return Promise.resolve(object);
  }

  patch<T extends KubernetesObject>(_resource: Resource<T>, key: ObjectKey, patch: { body: unknown }): Promise<T> {
    const known = this.events.get(key.name);
    if (known === undefined) return Promise.reject(Object.assign(new Error("not found"), { code: 404 }));
    const patched = { ...known, ...(patch.body as object) };
    this.events.set(key.name, patched);
    return Promise.resolve(patched as unknown as T);
  }
}

const pod = referenceTo(resources.pods, { metadata: { namespace: "shop", name: "web-1", uid: "u1" } });

function start() {
  const clock = new FakeClock(Date.UTC(2026, 10, 20, 8, 0, 0));
  const client = new MemoryWriter();
  const recorder = createEventRecorder({ client, clock, log: silentLogger, component: "kubelet", host: "node-1" });
  const stop = new AbortController();
  const running = recorder.run(stop.signal);
  return {
    clock,
    client,
    recorder,
    stop: async () => {
      stop.abort();
      await running;
    },
  };
}

test("an event names its object, its source and its time as upstream does", async () => {
  const { client, recorder, stop } = start();
  recorder.event(pod, { type: "Normal", reason: "Started", message: "Started container web" });
  await stop();
  const [event] = client.events.values();
  assert.match(event?.metadata.name ?? "", /^web-1\.[0-9a-f]{16}$/);
  assert.deepEqual(
    { ...event, metadata: event?.metadata.namespace },
    {
      metadata: "shop",
      involvedObject: { kind: "Pod", apiVersion: "v1", namespace: "shop", name: "web-1", uid: "u1" },
      reason: "Started",
      message: "Started container web",
      source: { component: "kubelet", host: "node-1" },
      firstTimestamp: "2026-11-20T08:00:00Z",
      lastTimestamp: "2026-11-20T08:00:00Z",
      count: 1,
      type: "Normal",
      reportingComponent: "kubelet",
      reportingInstance: "node-1",
    },
  );
});

test("the same event again raises the count of the first", async () => {
  const { clock, client, recorder, stop } = start();
  for (let time = 0; time < 3; time += 1) {
    recorder.event(pod, { type: "Warning", reason: "Unhealthy", message: "Readiness probe failed" });
    await clock.advance(10_000);
  }
  await stop();
  const events = [...client.events.values()];
  assert.equal(events.length, 1);
  assert.equal(events[0]?.count, 3);
  assert.equal(events[0]?.firstTimestamp, "2026-11-20T08:00:00Z");
  assert.equal(events[0]?.lastTimestamp, "2026-11-20T08:00:20Z");
});

test("an event that the server let expire is created anew", async () => {
  const { client, recorder, stop } = start();
  recorder.event(pod, { type: "Normal", reason: "Pulled", message: "a" });
  await settle();
  client.events.clear();
  recorder.event(pod, { type: "Normal", reason: "Pulled", message: "a" });
  await stop();
  assert.equal(client.events.size, 1);
});

test("from eleven different messages of one reason on they are combined", async () => {
  const { client, recorder, stop } = start();
  for (let index = 0; index < 14; index += 1) {
    recorder.event(pod, { type: "Warning", reason: "Failed", message: `try ${index}` });
  }
  await stop();
  const messages = [...client.events.values()].map(({ message, count }) => `${message} x${count}`);
  assert.equal(messages.length, 11);
  assert.equal(messages.at(-1), "(combined from similar events): try 13 x4");
});

test("one object's flood of events is limited to 25 at once", async () => {
  const { client, recorder, stop } = start();
  for (let index = 0; index < 100; index += 1) {
    recorder.event(pod, { type: "Warning", reason: `Reason${index}`, message: "flood" });
  }
  await stop();
  assert.equal(client.events.size, 25);
});

test("an event is tried again when the connection fails, and dropped when the server refuses it", async () => {
  const { clock, client, recorder, stop } = start();
  client.error = new Error("connection refused");
  recorder.event(pod, { type: "Normal", reason: "Started", message: "a" });
  await clock.advance(2000);
  client.error = undefined;
  await clock.advance(1000);
  assert.equal(client.events.size, 1);
  client.error = Object.assign(new Error("the namespace is being terminated"), { code: 403 });
  recorder.event(pod, { type: "Normal", reason: "Started", message: "b" });
  await settle();
  client.error = undefined;
  await stop();
  assert.equal(client.events.size, 1);
});

test("event() never throws and never waits, however many are noted", () => {
  const recorder = createEventRecorder({
    client: new MemoryWriter(),
    clock: new FakeClock(),
    log: silentLogger,
    component: "kubelet",
  });
  for (let index = 0; index < 5000; index += 1) recorder.event(pod, { type: "Normal", reason: "a", message: "b" });
});

test("a flood that is too much is told in two lines, not in one for each event", async () => {
  const lines: unknown[] = [];
  const log = { ...silentLogger, warn: (message: string, details: unknown) => lines.push([message, details]) };
  const recorder = createEventRecorder({
    client: new MemoryWriter(),
    clock: new FakeClock(),
    log,
    component: "kubelet",
  });
  for (let index = 0; index < 1500; index += 1) recorder.event(pod, { type: "Normal", reason: "a", message: "b" });
  const stop = new AbortController();
  const running = recorder.run(stop.signal);
  stop.abort();
  await running;
  assert.deepEqual(lines, [
    ["cannot keep up with events, some are dropped", { reason: "a", object: "shop/web-1" }],
    ["keeps up with events again", { dropped: 500 }],
  ]);
});
