import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { jsonCopy } from "./index.ts";

test("property: jsonCopy() gives an equal value that shares nothing", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const copy = jsonCopy(value);
      assert.deepEqual(copy, value);
      assert.equal(JSON.stringify(copy), JSON.stringify(value));
      if (typeof value === "object" && value !== null) assert.notEqual(copy, value);
    }),
  );
});

test("jsonCopy() keeps a key __proto__ as data, and a key that is undefined", () => {
  const copy = jsonCopy(JSON.parse('{"__proto__": {"x": 1}}') as object);
  assert.equal(JSON.stringify(copy), '{"__proto__":{"x":1}}');
  assert.equal(Object.getPrototypeOf(copy), Object.prototype);
  assert.ok("a" in jsonCopy({ a: undefined }));
});
