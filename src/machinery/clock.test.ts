import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { systemClock } from "./clock.ts";
import { settle } from "./fake-clock.ts";

test("systemClock.sleep() waits for longer than a timer can, too", async () => {
  const longestTimerMs = 2 ** 31 - 1;
  const delays: number[] = [];
  mock.timers.enable({ apis: ["setTimeout"] });
  const setTimer = mock.method(globalThis, "setTimeout");
  try {
    let isAwake = false;
    const sleeping = systemClock.sleep(longestTimerMs * 2 + 5).then(() => (isAwake = true));
    for (const partMs of [longestTimerMs, longestTimerMs, 4]) {
      mock.timers.tick(partMs);
      await settle();
      assert.equal(isAwake, false);
    }
    mock.timers.tick(1);
    await sleeping;
    delays.push(...setTimer.mock.calls.map(({ arguments: [, ms] }) => ms ?? 0));
  } finally {
    setTimer.mock.restore();
    mock.timers.reset();
  }
  assert.deepEqual(delays, [longestTimerMs, longestTimerMs, 5]);
});

test("systemClock.sleep() rejects with the signal's reason, in its second part too", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const stop = new AbortController();
    const sleeping = systemClock.sleep(2 ** 33, stop.signal);
    mock.timers.tick(2 ** 32);
    stop.abort(new Error("enough"));
    await assert.rejects(sleeping, /enough/);
    await assert.rejects(systemClock.sleep(1, stop.signal), /enough/);
  } finally {
    mock.timers.reset();
  }
});
