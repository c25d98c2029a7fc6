import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  addQuantities,
  compareQuantities,
  parseQuantity,
  QuantityError,
  quantityMilli,
  quantityText,
  quantityUnits,
  subtractQuantities,
} from "./index.ts";

test("quantities have one canonical text", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["0", "0"],
    ["0.5", "500m"],
    ["1000m", "1"],
    ["1500m", "1500m"],
    ["1.5", "1500m"],
    ["1024Mi", "1Gi"],
    ["1.5Gi", "1536Mi"],
    ["1000", "1k"],
    ["1e3", "1e3"],
    ["2500k", "2500k"],
    ["0.1n", "1n"],
    ["-2", "-2"],
    ["+3", "3"],
  ];
  for (const [text, canonical] of cases) assert.equal(quantityText(parseQuantity(text)), canonical, text);
});

test("parseQuantity() refuses what is none", () => {
  for (const text of ["", "x", "1.2.3", "1Ki2", "1e", "--1", "9".repeat(100), ".", "1 Gi"]) {
    assert.throws(() => parseQuantity(text), QuantityError, text);
  }
});

test("quantities add, compare and convert exactly", () => {
  const sum = addQuantities(parseQuantity("100m"), parseQuantity("1"));
  assert.equal(quantityText(sum), "1100m");
  assert.equal(quantityText(subtractQuantities(sum, parseQuantity("100m"))), "1");
  assert.equal(compareQuantities(parseQuantity("1Gi"), parseQuantity("1G")), 1);
  assert.equal(quantityMilli(parseQuantity("0.0001")), 1);
  assert.equal(quantityUnits(parseQuantity("1500m")), 2);
});

test("parseQuantity() reads any text or throws, and reads back what it wrote", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.stringMatching(/^[-+]?[0-9.]{1,6}([numkMGTPE]|[KMGTPE]i|e[0-9])?$/)),
      (text) => {
        try {
          const quantity = parseQuantity(text);
          assert.equal(parseQuantity(quantityText(quantity)).nano, quantity.nano, text);
        } catch (error) {
          assert.ok(error instanceof QuantityError, String(error));
        }
      },
    ),
  );
});
