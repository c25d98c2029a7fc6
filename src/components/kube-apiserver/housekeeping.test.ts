import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../machinery/fake-clock.ts";
import { silentLogger } from "../../machinery/log.ts";
import { createMemoryStore, StorageError } from "../../storage/index.ts";
import type { ObjectStore, StoreKey } from "../../storage/index.ts";
import { mostEvents } from "./event-expiry.ts";
import { keepHouse } from "./housekeeping.ts";

const minuteMs = 60_000;
const event = (name: string): StoreKey => ({ resource: "events", namespace: "default", name });
const pod: StoreKey = { resource: "pods", namespace: "default", name: "a" };

function start(store: ObjectStore = createMemoryStore(), clock = new FakeClock()) {
  const bookmarks: number[] = [];
  const watch = { bookmark: () => bookmarks.push(clock.now()), end: () => undefined };
  const stop = new AbortController();
  const running = keepHouse({ store, clock, log: silentLogger, watches: new Set([watch]) as never }, stop.signal);
  return {
    store,
    clock,
    bookmarks,
    stop: async () => {
      stop.abort();
      await running;
    },
  };
}

test("an Event is forgotten an hour after it was last written", async () => {
  const { store, clock, stop } = start();
  await store.create(event("once"), { metadata: { name: "once" } });
  await store.create(event("again"), { metadata: { name: "again" } });
  await clock.advance(50 * minuteMs);
  await store.update(event("again"), { metadata: { name: "again" } }, 2);
  await clock.advance(11 * minuteMs);
  assert.equal(store.get(event("once")), undefined);
  assert.ok(store.get(event("again")));
  await clock.advance(60 * minuteMs);
  assert.equal(store.count("events"), 0);
  await stop();
});

test("an Event of before the start is forgotten by its own times", async () => {
  const store = createMemoryStore();
  const clock = new FakeClock();
  const seen = (minutesAgo: number): string => new Date(clock.now() - minutesAgo * minuteMs).toISOString();
  await store.create(event("old"), { metadata: { name: "old" }, lastTimestamp: seen(59) } as never);
  await store.create(event("older"), { metadata: { name: "older" }, eventTime: seen(10) } as never);
  const { stop } = start(store, clock);
  await clock.advance(2 * minuteMs);
  assert.equal(store.get(event("old")), undefined);
  assert.ok(store.get(event("older")));
  await stop();
});

test("of too many Events the ones written longest ago are forgotten", async () => {
  const { store, clock, stop } = start();
  const names = Array.from({ length: mostEvents + 100 }, (_, index) => `e${index}`);
  await Promise.all(names.map(async (name) => await store.create(event(name), { metadata: { name } })));
  await store.update(event("e0"), { metadata: { name: "e0" } }, 1);
  await clock.advance(minuteMs);
  assert.equal(store.count("events"), mostEvents);
  assert.ok(store.get(event("e0")), "it was written again");
  assert.equal(store.get(event("e100")), undefined);
  assert.ok(store.get(event("e101")));
  await stop();
});

test("a watch goes on from five minutes ago, and not from ten", async () => {
  const { store, clock, stop } = start();
  await store.create(pod, { metadata: { name: "a" } });
  for (let minutes = 0; minutes < 10; minutes += 1) {
    await clock.advance(minuteMs);
    await store.update(pod, { metadata: { name: "a" } }, store.revision);
  }
  // A revision a minute.
  const fiveMinutesAgo = store.revision - 5;
  const seen: number[] = [];
  store.watch("pods", fiveMinutesAgo, ({ revision }) => seen.push(revision))();
  assert.equal(seen.length, 5);
  assert.throws(
    () => store.watch("pods", 1, () => undefined),
    (error) => error instanceof StorageError && error.code === "Compacted",
  );
  await stop();
});

test("watchers get a bookmark every minute", async () => {
  const { clock, bookmarks, stop } = start();
  const from = clock.now();
  await clock.advance(3 * minuteMs);
  assert.deepEqual(
    bookmarks.map((at) => at - from),
    [minuteMs, 2 * minuteMs, 3 * minuteMs],
  );
  await stop();
});
