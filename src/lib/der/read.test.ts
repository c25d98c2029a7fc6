import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  DerError,
  objectIdentifier,
  octetString,
  readElement,
  readElements,
  readObjectIdentifier,
  sequence,
} from "./index.ts";

test("what is written is read back", () => {
  const inner = [objectIdentifier("2.5.29.17"), octetString(new Uint8Array(300))];
  const { tag, content } = readElement(sequence(...inner));
  assert.equal(tag, 0x30);
  const [first, second] = readElements(content);
  assert.equal(first === undefined ? "" : readObjectIdentifier(first), "2.5.29.17");
  assert.equal(second?.content.length, 300);
});

test("identifiers of every root are read back", () => {
  const arc = fc.integer({ min: 0, max: 2 ** 31 });
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 }),
      fc.integer({ min: 0, max: 39 }),
      fc.array(arc),
      (root, second, rest) => {
        const dotted = [root, second, ...rest].join(".");
        assert.equal(readObjectIdentifier(readElement(objectIdentifier(dotted))), dotted);
      },
    ),
  );
});

test("no bytes make the reader fail otherwise than with DerError", () => {
  const walk = (bytes: Uint8Array, depth: number): void => {
    for (const element of readElements(bytes)) {
      assert.ok(element.raw.length >= 2 + element.content.length);
      if (element.tag === 0x06) readObjectIdentifier(element);
      if ((element.tag & 0x20) !== 0 && depth < 20) walk(element.content, depth + 1);
    }
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      try {
        walk(bytes, 0);
      } catch (error) {
        assert.ok(error instanceof DerError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
