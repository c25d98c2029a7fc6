import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, settle } from "../fake-clock.ts";
import { createMetricsRegistry, lintMetrics } from "../metrics/index.ts";
import { queueMetrics } from "./metrics.ts";
import { createWorkQueue } from "./work-queue.ts";
import type { WorkQueue } from "./work-queue.ts";

/** Runs a queue whose work on each key ends when the test says so. */
function start(concurrency = 1) {
  const clock = new FakeClock();
  const queue: WorkQueue = createWorkQueue({ clock, random: () => 0 });
  const begun: string[] = [];
  const finish = new Map<string, () => void>();
  const stop = new AbortController();
  const running = queue.run(stop.signal, {
    concurrency,
    work: (key) => {
      begun.push(key);
      return new Promise<void>((resolve) => {
        finish.set(key, resolve);
      });
    },
  });
  return {
    clock,
    queue,
    begun,
    finish: async (key: string) => {
      finish.get(key)?.();
      await settle();
    },
    stop: async () => {
      stop.abort();
      for (const end of finish.values()) end();
      await running;
    },
  };
}

test("a queue hands out a key once however often it was added", async () => {
  const { queue, begun, finish, stop } = start();
  queue.add("a");
  queue.add("a");
  queue.add("b");
  assert.equal(queue.length, 2);
  await settle();
  await finish("a");
  await finish("b");
  assert.deepEqual(begun, ["a", "b"]);
  await stop();
});

test("a queue works on a key again that was added during its work, and never twice at a time", async () => {
  const { queue, begun, finish, stop } = start(4);
  queue.add("a");
  await settle();
  queue.add("a");
  queue.add("a");
  await settle();
  assert.deepEqual(begun, ["a"]);
  await finish("a");
  assert.deepEqual(begun, ["a", "a"]);
  await finish("a");
  assert.deepEqual(begun, ["a", "a"]);
  await stop();
});

test("a queue works on as many keys at a time as it was told", async () => {
  const { queue, begun, finish, stop } = start(2);
  for (const key of ["a", "b", "c"]) queue.add(key);
  await settle();
  assert.deepEqual(begun, ["a", "b"]);
  await finish("b");
  assert.deepEqual(begun, ["a", "b", "c"]);
  await stop();
});

test("addAfter() keeps the earliest of several delays", async () => {
  const { queue, clock, begun, stop } = start();
  queue.addAfter("a", 500);
  queue.addAfter("a", 100);
  queue.addAfter("a", 900);
  await clock.advance(99);
  assert.deepEqual(begun, []);
  await clock.advance(1);
  assert.deepEqual(begun, ["a"]);
  await stop();
});

test("retry() doubles a key's wait each time until forget()", async () => {
  const { queue, clock, begun, finish, stop } = start();
  const waits: number[] = [];
  const measure = async (): Promise<void> => {
    const [from, count] = [clock.now(), begun.length];
    queue.retry("a");
    while (begun.length === count) await clock.advance(1);
    waits.push(clock.now() - from);
    await finish("a");
  };
  await measure();
  await measure();
  await measure();
  assert.equal(queue.retriesOf("a"), 3);
  queue.forget("a");
  await measure();
  assert.deepEqual(waits, [5, 10, 20, 5]);
  await stop();
});

test("a stopped queue waits for the work under way and takes nothing more", async () => {
  const { queue, begun, stop } = start();
  queue.add("a");
  queue.add("b");
  await settle();
  await stop();
  queue.add("c");
  await settle();
  assert.deepEqual(begun, ["a"]);
});

test("a queue's metrics follow the naming rules and count", async () => {
  const registry = createMetricsRegistry();
  const metrics = queueMetrics(registry, "deployment");
  queueMetrics(registry, "replicaset");
  metrics.added(1);
  metrics.taken(0, 5);
  metrics.worked(7);
  metrics.retried();
  assert.deepEqual(lintMetrics(registry), []);
  assert.match(await registry.metrics(), /workqueue_adds_total\{name="deployment"\} 1/);
});
