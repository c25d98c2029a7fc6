import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { FieldSelectorError, fieldSelectorText, matchesFields, parseFieldSelector } from "./index.ts";

test("field selectors choose by equality and its opposite, with escapes", () => {
  const values = { "status.phase": "Running", "metadata.name": "a=b,c" };
  const cases: readonly (readonly [string, boolean])[] = [
    ["", true],
    ["status.phase=Running", true],
    ["status.phase!=Running", false],
    ["status.phase==Running,metadata.name=a\\=b\\,c", true],
    ["none=", true],
  ];
  for (const [text, expected] of cases) assert.equal(matchesFields(parseFieldSelector(text), values), expected, text);
});

test("parseFieldSelector() names the part that it does not understand", () => {
  assert.throws(() => parseFieldSelector("a=1,b"), {
    name: "FieldSelectorError",
    message: "invalid selector: 'a=1,b'; can't understand 'b'",
  });
});

test("parseFieldSelector() reads any text or throws, and reads back what it wrote", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[ab=!,\\]{0,10}$/)), (text) => {
      try {
        const selector = parseFieldSelector(text);
        assert.deepEqual(parseFieldSelector(fieldSelectorText(selector)), selector);
      } catch (error) {
        assert.ok(error instanceof FieldSelectorError, String(error));
      }
    }),
  );
});
