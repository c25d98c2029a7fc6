import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import { systemClock } from "../../machinery/clock.ts";
import { findOutput, guardOutput, logEntries } from "./output-guard.ts";
import { makePipe } from "./system-calls.ts";

const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const entries = (chunk: Buffer): string => logEntries("stderr", chunk, nowMs).toString();

test("logEntries() marks whole lines, beginnings of lines and parts of those that are too long", () => {
  const head = "2026-01-02T03:04:05.678000000Z stderr";
  assert.equal(entries(Buffer.from("one\ntw")), `${head} F one\n${head} P tw\n`);
  assert.equal(entries(Buffer.from("o\n\n")), `${head} F o\n${head} F \n`);
  const parts = entries(Buffer.from(`${"x".repeat(9000)}\n`)).split("\n");
  assert.deepEqual(
    parts.map((part) => [part.slice(head.length, head.length + 2), part.length - head.length - 3]),
    [
      [" P", 8192],
      [" F", 808],
      ["", -head.length - 3],
    ],
  );
  assert.equal(entries(Buffer.alloc(0)), "");
});

test("logEntries() loses no byte, however the stream is cut", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 30 })), (chunks) => {
      const written = Buffer.concat(chunks.map((chunk) => logEntries("stdout", Buffer.from(chunk), nowMs)));
      const text = written
        .toString("latin1")
        .split(/(?<=\n)/)
        .map((line) => {
          const [, , tag = "", ...rest] = line.split(" ");
          return tag === "P" ? rest.join(" ").slice(0, -1) : rest.join(" ");
        });
      assert.equal(text.join(""), Buffer.concat(chunks).toString("latin1"));
    }),
  );
});

test("a guarded writer outlives the reader of its pipes, and what it says then is in the log", async () => {
  const folder = mkdtempSync(join(tmpdir(), "netloom-guard-"));
  const log = join(folder, "log");
  const [out, errors] = [makePipe(), makePipe()];
  const writer = spawn("/bin/sh", ["-c", "read go; echo said; echo wrong >&2; read end; echo ended"], {
    stdio: ["pipe", out.writeEnd, errors.writeEnd],
  });
  const guard = guardOutput(writer.pid ?? 0, systemClock);
  assert.ok(guard !== undefined);
  const again = findOutput(guard.pipes, [0, process.pid], systemClock);
  assert.deepEqual(again?.pipes, guard.pipes);
  again?.close();
  // The monitor is gone.
  for (const fd of [out.readEnd, out.writeEnd, errors.readEnd, errors.writeEnd]) closeSync(fd);
  const end = Promise.withResolvers<void>();
  guard.takeOver(log, { onEnd: end.resolve, onError: end.reject });
  writer.stdin?.end("go\nend\n");
  const [code] = (await once(writer, "exit")) as [number];
  assert.equal(code, 0);
  await end.promise;
  const text = (): string => readFileSync(log, "utf8");
  assert.match(text(), / stdout F said\n/);
  assert.match(text(), / stdout F ended\n/);
  assert.match(text(), / stderr F wrong\n/);
  guard.close();
  rmSync(folder, { recursive: true });
});
