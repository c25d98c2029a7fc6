import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { isJsonEqual } from "./index.ts";

const key = fc.constantFrom("a", "b", "__proto__", "constructor");
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(null, 0, 1, "", "a", true),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(key, tie("value"), { maxKeys: 3, noNullPrototype: true }),
  ),
}));

test("isJsonEqual() says what the texts say, key order aside", () => {
  fc.assert(
    fc.property(value, value, (left, right) => {
      assert.equal(isJsonEqual(left, right), isDeepStrictEqual(left, right));
      assert.ok(isJsonEqual(left, JSON.parse(JSON.stringify(left))));
    }),
    { numRuns: 1000 },
  );
});

test("isJsonEqual() counts a key without a value as absent, and an inherited one, too", () => {
  assert.ok(isJsonEqual({ a: 1, b: undefined }, { a: 1 }));
  assert.ok(isJsonEqual({ a: 1 }, { b: undefined, a: 1 }));
  assert.ok(!isJsonEqual({ a: 1 }, { a: 1, b: null }));
  assert.ok(!isJsonEqual({ constructor: {} }, {}));
  assert.ok(!isJsonEqual({}, []));
});
