import assert from "node:assert/strict";
import { test } from "node:test";
import type { CoreV1Event } from "../../api/generated/types.ts";
import { FakeClock } from "../fake-clock.ts";
import { EventCorrelator } from "./correlator.ts";

function started(pod: number): CoreV1Event {
  return {
    metadata: { name: `web-${pod}.1`, namespace: "shop" },
    involvedObject: { kind: "Pod", namespace: "shop", name: `web-${pod}`, uid: `u${pod}` },
    type: "Normal",
    reason: "Started",
    message: "Started container web",
    count: 1,
  };
}

test("what is remembered of events does not grow with the number of objects", () => {
  const correlator = new EventCorrelator(new FakeClock());
  const note = (pod: number): boolean => {
    const correlated = correlator.correlate(started(pod));
    assert.ok(correlated);
    correlator.written(correlated, correlated.event);
    return correlated.known !== undefined;
  };
  for (let pod = 0; pod < 2000; pod += 1) assert.equal(note(pod), false);
  const { size } = correlator;
  for (let pod = 2000; pod < 4000; pod += 1) note(pod);
  assert.equal(correlator.size, size);
  // The newest are still known, the oldest are not.
  assert.equal(note(3999), true);
  assert.equal(note(0), false);
});
