import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../fake-clock.ts";
import { createIdleCollection } from "./index.ts";

const megabyte = 1024 * 1024;

async function start() {
  const clock = new FakeClock();
  const state = { resident: 100 * megabyte, busy: 0, live: 60 * megabyte, collections: 0 };
  const component = createIdleCollection({
    clock,
    memory: {
      residentBytes: () => state.resident,
      busyShare: () => state.busy,
      collect: () => {
        state.collections += 1;
        state.resident = state.live;
      },
    },
  });
  const stop = new AbortController();
  const running = component.run(stop.signal);
  return {
    state,
    clock,
    stop: async () => {
      stop.abort();
      await running;
    },
  };
}

test("a process that has come to rest is collected once", async () => {
  const { state, clock, stop } = await start();
  await clock.advance(60_000);
  assert.equal(state.collections, 1);
  await stop();
});

test("a busy process is left alone until it rests", async () => {
  const { state, clock, stop } = await start();
  state.busy = 0.4;
  await clock.advance(60_000);
  assert.equal(state.collections, 0);
  state.busy = 0.01;
  await clock.advance(10_000);
  assert.equal(state.collections, 1);
  await stop();
});

test("one quiet moment in a busy time is no rest", async () => {
  const { state, clock, stop } = await start();
  for (const busy of [0.4, 0, 0.4, 0, 0.4]) {
    state.busy = busy;
    await clock.advance(5000);
  }
  assert.equal(state.collections, 0);
  await stop();
});

test("a process at rest is collected again when it has grown by what is worth it", async () => {
  const { state, clock, stop } = await start();
  await clock.advance(60_000);
  state.resident += 11 * megabyte;
  await clock.advance(60_000);
  assert.equal(state.collections, 1);
  state.resident += 2 * megabyte;
  await clock.advance(60_000);
  assert.equal(state.collections, 2);
  await stop();
});
