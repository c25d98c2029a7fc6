import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { terminationMessage } from "./termination-message.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "netloom-message-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function messageOf(written: string, records: readonly string[], exitCode = 1): string {
  const files = { terminationLog: join(folder, "termination-log"), log: join(folder, "0.log"), exitCode };
  writeFileSync(files.terminationLog, written);
  writeFileSync(files.log, records.map((record) => `2026-11-20T12:00:00.000000000+00:00 ${record}\n`).join(""));
  const container = { name: "main", image: "busybox", terminationMessagePolicy: "FallbackToLogsOnError" };
  return terminationMessage(container, files);
}

test("a container's last words are what it wrote for that, or else what it said before it failed", () => {
  assert.equal(messageOf("OK", ["stdout F said"]), "OK");
  assert.equal(messageOf("", ["stdout F one", "stderr F two"]), "one\ntwo\n");
  assert.equal(messageOf("", ["stdout F said"], 0), "");
});

test("output without a line end has none in the message either", () => {
  assert.equal(messageOf("", ["stdout P DONE"]), "DONE");
  assert.equal(messageOf("", ["stdout P to", "stdout F gether"]), "together\n");
});

test("a long output is cut to its last 2048 bytes", () => {
  const message = messageOf(
    "",
    Array.from({ length: 100 }, (_, index) => `stdout F ${"x".repeat(90)} ${index}`),
  );
  assert.equal(Buffer.byteLength(message), 2048);
  assert.match(message, / 99\n$/);
});
