import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ProtobufError, ProtobufWriter, readFields } from "./index.ts";

test("what ProtobufWriter writes, readFields() reads", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.string({ minLength: 1 }))), (fields) => {
      const writer = new ProtobufWriter();
      for (const [number, text] of fields) writer.message(number, (inner) => inner.string(number, text));
      const read = readFields(writer.finish()).map(({ number, bytes }) => [
        number,
        Buffer.from(readFields(bytes)[0]?.bytes ?? []).toString(),
      ]);
      assert.deepEqual(
        read,
        fields.map(([number, text]) => [number, Buffer.from(text).toString()]),
      );
    }),
  );
});

test("zero values are left out, true is written as one", () => {
  const writer = new ProtobufWriter();
  writer.string(1, "");
  writer.boolean(2, false);
  writer.boolean(3, true);
  writer.strings(4, ["", "a"]);
  assert.deepEqual([...writer.finish()], [24, 1, 34, 0, 34, 1, 97]);
});

test("readFields() reads any bytes or throws a ProtobufError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      try {
        readFields(bytes);
      } catch (error) {
        assert.ok(error instanceof ProtobufError, String(error));
      }
    }),
  );
  for (const bytes of [[8], [10, 5, 1], [8, ...Array<number>(11).fill(255)], [11], [0]]) {
    assert.throws(() => readFields(Uint8Array.from(bytes)), ProtobufError, bytes.join());
  }
});
