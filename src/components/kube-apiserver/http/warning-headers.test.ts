import assert from "node:assert/strict";
import { test } from "node:test";
import { warningHeaders } from "./warning-headers.ts";

test("warningHeaders() says each text once, quoted, in one line, and in UTF-8", () => {
  assert.deepEqual(warningHeaders(["a", 'say "b"\\', "two\nlines", "a", "Iñ"]), [
    '299 - "a"',
    '299 - "say \\"b\\"\\\\"',
    '299 - "two lines"',
    `299 - "${Buffer.from("Iñ").toString("latin1")}"`,
  ]);
});

test("warningHeaders() leaves texts whole up to 4096 characters together", () => {
  const texts = ["a".repeat(4000), "b".repeat(96)];
  assert.deepEqual(
    warningHeaders(texts),
    texts.map((text) => `299 - "${text}"`),
  );
});

test("warningHeaders() cuts each to 256 characters where there are more, and ends at 4096", () => {
  const texts = [
    "long".repeat(1000),
    "short",
    ...Array.from({ length: 1000 }, (_, index) => `${index} ${"ü".repeat(300)}`),
  ];
  const values = warningHeaders(texts).map((value) => Buffer.from(value, "latin1").toString().slice(7, -1));
  assert.equal(values[0], "long".repeat(64));
  assert.equal(values[1], "short");
  assert.ok(values.every((value) => Array.from(value).length <= 256));
  // The one that reaches the bound is still whole.
  assert.equal(values.length, 17);
});
