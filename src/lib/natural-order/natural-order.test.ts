import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { naturalOrder } from "./index.ts";

test("naturalOrder() counts numbers within names", () => {
  const sorted = ["", "2", "10", "a", "node", "node-1", "node-2", "node-2-b", "node-10", "node-10a", "nodes"];
  assert.deepEqual(sorted.toReversed().toSorted(naturalOrder), sorted);
});

test("naturalOrder() is an order: of two different names one comes first, and of three no circle is made", () => {
  const name = fc.stringMatching(/^[a-c0-3.-]{0,6}$/);
  fc.assert(
    fc.property(name, name, name, (a, b, c) => {
      assert.equal(Math.sign(naturalOrder(a, b)), -Math.sign(naturalOrder(b, a)) || 0);
      assert.equal(naturalOrder(a, b) === 0, a === b);
      if (naturalOrder(a, b) < 0 && naturalOrder(b, c) < 0) assert.ok(naturalOrder(a, c) < 0);
    }),
  );
});
