import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import { systemClock } from "../../machinery/clock.ts";
import { createLineCutter, findOutput, guardOutput } from "./output-guard.ts";
import { makePipe } from "./system-calls.ts";

const clock = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 678) };

test("createLineCutter() writes whole lines, and parts of those that are too long", () => {
  const lines = createLineCutter("stderr", clock);
  assert.equal(lines.add(Buffer.from("one\ntw")), "2026-01-02T03:04:05.678000000Z stderr F one\n");
  assert.equal(
    lines.add(Buffer.from("o\n\n")),
    "2026-01-02T03:04:05.678000000Z stderr F two\n2026-01-02T03:04:05.678000000Z stderr F \n",
  );
  assert.match(lines.add(Buffer.alloc(9000, "x")), / P x{8192}\n$/);
  assert.match(lines.rest(), / F x{808}\n$/);
  assert.equal(lines.rest(), "");
});

test("createLineCutter() loses no byte, however the stream is cut", () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z\n]{0,20}$/)), (chunks) => {
      const lines = createLineCutter("stdout", clock);
      const written = chunks.map((chunk) => lines.add(Buffer.from(chunk))).join("") + lines.rest();
      const text = written
        .split("\n")
        .slice(0, -1)
        .map((line) => line.split(" ").slice(3).join(" "));
      const all = chunks.join("");
      assert.deepEqual(text, all === "" ? [] : all.replace(/\n$/, "").split("\n"));
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
  guard.takeOver(log, (error) => assert.fail(String(error)));
  writer.stdin?.end("go\nend\n");
  const [code] = (await once(writer, "exit")) as [number];
  assert.equal(code, 0);
  const deadline = performance.now() + 5000;
  const text = (): string => (existsSync(log) ? readFileSync(log, "utf8") : "");
  while (!(text().includes("ended") && text().includes("wrong")) && performance.now() < deadline) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.match(text(), / stdout F said\n/);
  assert.match(text(), / stdout F ended\n/);
  assert.match(text(), / stderr F wrong\n/);
  guard.close();
  rmSync(folder, { recursive: true });
});
