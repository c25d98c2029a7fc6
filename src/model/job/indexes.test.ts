import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { formatIndexes, parseIndexes } from "./indexes.ts";

const table: readonly (readonly [readonly number[], string])[] = [
  [[], ""],
  [[0], "0"],
  [[0, 1], "0,1"],
  [[2, 1, 0], "0-2"],
  [[0, 2, 3, 4, 7, 8], "0,2-4,7,8"],
];

test("formatIndexes() joins three and more in a row to a range", () => {
  for (const [indexes, text] of table) assert.equal(formatIndexes(indexes), text);
});

test("parseIndexes() reads what formatIndexes() wrote", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(200)), (indexes) => {
      const read = [...parseIndexes(formatIndexes(indexes), 201)].toSorted((a, b) => a - b);
      assert.deepEqual(
        read,
        indexes.toSorted((a, b) => a - b),
      );
    }),
  );
});

test("parseIndexes() reads any text without going beyond the number of completions", () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(1000), fc.nat(50), (text, last, completions) => {
      for (const index of parseIndexes(`${text},0-${last}000000`, completions)) assert.ok(index < completions);
    }),
  );
});
