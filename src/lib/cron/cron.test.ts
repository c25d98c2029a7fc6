import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { CronError, parseCron } from "./index.ts";

test("parseCron() reads ranges, steps, lists, names and descriptors", () => {
  const schedule = parseCron("*/15 8-17/3 1,15 jan-MAR mon");
  assert.deepEqual([...schedule.minutes], [0, 15, 30, 45]);
  assert.deepEqual([...schedule.hours], [8, 11, 14, 17]);
  assert.deepEqual([...schedule.days], [1, 15]);
  assert.deepEqual([...schedule.months], [1, 2, 3]);
  assert.deepEqual([...schedule.weekdays], [1]);
  assert.equal(schedule.isEitherDay, true);
  assert.deepEqual([...parseCron("@hourly").minutes], [0]);
  assert.deepEqual([...parseCron("50/5 * * * *").minutes], [50, 55]);
  assert.equal(parseCron("@every 1h30m").everyMs, 5_400_000);
});

test("parseCron() refuses with upstream's sentences", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["", "empty spec string"],
    ["* * *", "expected exactly 5 fields, found 3: [* * *]"],
    ["60 * * * *", "end of range (60) above maximum (59): 60"],
    ["* * 0 * *", "beginning of range (0) below minimum (1): 0"],
    ["5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"],
    ["*/0 * * * *", "step of range should be a positive number: */0"],
    ["1-2-3 * * * *", "too many hyphens: 1-2-3"],
    ["1/2/3 * * * *", "too many slashes: 1/2/3"],
    ["x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
    ["@often", "unrecognized descriptor: @often"],
  ];
  for (const [text, message] of cases) assert.throws(() => parseCron(text), { name: "CronError", message }, text);
});

test("property: parseCron() answers any text with a schedule or its own error", () => {
  const texts = fc.oneof(fc.string(), fc.stringMatching(/^[@*0-9,\-/ a-z]{0,20}$/));
  fc.assert(
    fc.property(texts, (text) => {
      try {
        assert.ok(parseCron(text).minutes.size <= 60);
      } catch (error) {
        assert.ok(error instanceof CronError);
      }
    }),
  );
});
