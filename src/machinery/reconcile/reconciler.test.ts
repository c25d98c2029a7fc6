import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, settle } from "../fake-clock.ts";
import { silentLogger } from "../log.ts";
import type { Logger } from "../log.ts";
import { createReconciler } from "./reconciler.ts";
import type { ReconcilerOptions } from "./reconciler.ts";

async function start(
  reconcile: ReconcilerOptions["reconcile"],
  options: { waitFor?: Promise<void>; log?: Logger } = {},
) {
  const clock = new FakeClock();
  const reconciler = createReconciler({
    name: "test",
    clock,
    log: options.log ?? silentLogger,
    waitFor: [{ ready: options.waitFor ?? Promise.resolve() }],
    reconcile,
  });
  const stop = new AbortController();
  const running = reconciler.run(stop.signal);
  await settle();
  return {
    clock,
    reconciler,
    stop: async () => {
      stop.abort();
      await running;
    },
  };
}

test("a reconciler begins when its informers have synced", async () => {
  const synced = Promise.withResolvers<void>();
  const keys: string[] = [];
  const { reconciler, stop } = await start(
    async (key) => {
      keys.push(key);
    },
    { waitFor: synced.promise },
  );
  reconciler.enqueue("a");
  await settle();
  assert.deepEqual(keys, []);
  synced.resolve();
  await reconciler.ready;
  await settle();
  assert.deepEqual(keys, ["a"]);
  await stop();
});

test("a reconciler tries again what fails, and logs an error once", async () => {
  const errors: string[] = [];
  const log: Logger = { ...silentLogger, error: (message) => errors.push(message) };
  let tries = 0;
  const { reconciler, clock, stop } = await start(
    async () => {
      tries += 1;
      if (tries < 10) throw new Error("conflict");
    },
    { log },
  );
  reconciler.enqueue("a");
  await clock.advance(60_000);
  assert.equal(tries, 10);
  assert.equal(errors.length, 1);
  await stop();
});

test("a reconciler looks again when the result asks for it", async () => {
  const at: number[] = [];
  const { reconciler, clock, stop } = await start(async () => {
    at.push(clock.now());
    return at.length < 3 ? { requeueAfterMs: 700 } : undefined;
  });
  const from = clock.now();
  reconciler.enqueue("a");
  await clock.advance(5000);
  assert.deepEqual(
    at.map((time) => time - from),
    [0, 700, 1400],
  );
  await stop();
});

test("a reconciler stopped before its informers synced ends, and its ready rejects", async () => {
  const { reconciler, stop } = await start(async () => undefined, { waitFor: new Promise(() => undefined) });
  await stop();
  await assert.rejects(reconciler.ready, /stopped before it began/);
});
