import assert from "node:assert/strict";
import { test } from "node:test";
import { trendOf } from "../../bench/_flat.ts";

const samples = (of: (index: number) => number): readonly number[] =>
  Array.from({ length: 21 }, (_, index) => of(index));

test("a row that fills up in the first half and stays is flat", () => {
  const { growth, isFlat } = trendOf(
    samples((index) => Math.min(100, 20 * index)),
    0.1,
  );
  assert.equal(growth, 0);
  assert.equal(isFlat, true);
});

test("a row that grows all the time is not flat, however slowly beyond the tolerance", () => {
  const { growth, isFlat } = trendOf(
    samples((index) => 100 + 2 * index),
    0.1,
  );
  assert.equal(growth, 20);
  assert.equal(isFlat, false);
});

test("ups and downs of collections are flat, and so is what shrinks", () => {
  assert.equal(
    trendOf(
      samples((index) => 100 + (index % 3) * 30),
      0.1,
    ).isFlat,
    true,
  );
  assert.equal(
    trendOf(
      samples((index) => 200 - 3 * index),
      0.1,
    ).isFlat,
    true,
  );
});

test("one sample more is no growth, one more each time is", () => {
  assert.equal(
    trendOf(
      samples((index) => (index === 20 ? 9 : 8)),
      0.1,
    ).isFlat,
    true,
  );
  assert.equal(
    trendOf(
      samples((index) => 8 + index),
      0.1,
    ).isFlat,
    false,
  );
});
