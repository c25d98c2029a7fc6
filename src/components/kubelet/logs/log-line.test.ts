import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { LineSplitter, parseJsonLogLine, parseLogLine } from "./log-line.ts";
import { LogOptionsError, parseLogOptions } from "./log-options.ts";

for (const [line, time, stream, text] of [
  ["2026-01-01T00:00:00.123456789Z stdout F hello world", "2026-01-01T00:00:00.123456789Z", "stdout", "hello world\n"],
  ["2026-01-01T00:00:00.1+00:00 stderr P half a", "2026-01-01T00:00:00.1Z", "stderr", "half a"],
  ["2026-01-01T00:00:00Z stdout F ", "2026-01-01T00:00:00Z", "stdout", "\n"],
  ["2026-01-01T00:00:00Z stdout F", "2026-01-01T00:00:00Z", "stdout", "\n"],
  ["2026-01-01T00:00:00Z stdout P:TAG x", "2026-01-01T00:00:00Z", "stdout", "x"],
] as const) {
  test(`parseLogLine() of ${line}`, () => {
    const record = parseLogLine(Buffer.from(line));
    assert.deepEqual([record?.time, record?.stream, record?.text.toString()], [time, stream, text]);
  });
}

test("parseJsonLogLine() takes the time out of netloom's own lines and nothing else", () => {
  const line = '{"level":30,"time":"2026-01-01T00:00:00.000Z","msg":"ready"}';
  const record = parseJsonLogLine(Buffer.from(line));
  assert.deepEqual([record?.time, record?.text.toString()], ["2026-01-01T00:00:00.000Z", `${line}\n`]);
  for (const other of ["", "null", "{}", '{"time":5}', '{"time":"soon"}', "text"]) {
    assert.equal(parseJsonLogLine(Buffer.from(other)), undefined);
  }
});

for (const line of ["", "hello", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z both F x", "today stdout F x"]) {
  test(`parseLogLine() does not take ${JSON.stringify(line)} for a record`, () => {
    assert.equal(parseLogLine(Buffer.from(line)), undefined);
  });
}

test("LineSplitter and parseLogLine() survive any bytes, and no byte of a line gets lost", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 50 }), (noise, step) => {
      const bytes = Buffer.from(noise);
      const splitter = new LineSplitter();
      const lines: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += step) lines.push(...splitter.push(bytes.subarray(at, at + step)));
      for (const line of lines) parseLogLine(line);
      assert.deepEqual(
        Buffer.concat(lines.flatMap((line) => [line, Buffer.from("\n")])),
        bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1),
      );
    }),
  );
});

for (const [query, message] of [
  ["tailLines=-1", /tailLines must be greater than or equal to 0/],
  ["limitBytes=0", /limitBytes must be greater than 0/],
  ["sinceSeconds=x", /sinceSeconds must be greater than 0/],
  ["sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z", /at most one of/],
  ["sinceTime=yesterday", /RFC 3339/],
] as const) {
  test(`parseLogOptions() refuses ${query}`, () => {
    assert.throws(
      () => parseLogOptions(new URLSearchParams(query), 0),
      (error) => {
        assert.ok(error instanceof LogOptionsError);
        assert.match(error.message, message);
        return true;
      },
    );
  });
}
