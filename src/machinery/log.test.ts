import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { logWriter } from "./log.ts";

test("logWriter() loses lines while nothing can be written, and says how many when it can again", () => {
  let problem: Error | undefined;
  let text = "";
  const writer = logWriter(
    (bytes) => {
      if (problem !== undefined) throw problem;
      // A part at a time, as a pipe may take it.
      const part = bytes.subarray(0, 4);
      text += Buffer.from(part).toString();
      return part.length;
    },
    (lost, reason) => `lost ${lost}: ${reason}\n`,
  );
  writer.write("one line\n");
  problem = Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  writer.write("two\n");
  writer.write("three\n");
  problem = undefined;
  writer.write("four\n");
  writer.write("five\n");
  assert.equal(text, "one line\nfour\nlost 2: no space left on device\nfive\n");
});

test("logWriter() waits for a pipe that is full", () => {
  let refusals = 3;
  let text = "";
  const writer = logWriter(
    (bytes) => {
      refusals -= 1;
      if (refusals >= 0) throw Object.assign(new Error("try again"), { code: "EAGAIN" });
      text += Buffer.from(bytes).toString();
      return bytes.length;
    },
    () => "lost",
  );
  writer.write("line\n");
  assert.equal(text, "line\n");
});

test("createLogger() writes levels as words, and a key that is bound twice once", () => {
  const script = `
    const { createLogger } = await import(${JSON.stringify(new URL("./log.ts", import.meta.url).href)});
    const log = createLogger("agent-1", { level: "info" }).child({ node: "a" });
    log.debug("not written");
    log.child({ node: "b" }).warn("seen", { node: "c", count: 1 });
  `;
  const run = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  assert.match(
    run.stderr,
    /^{"level":"warn","time":"[^"]+Z","component":"agent-1","node":"c","count":1,"msg":"seen"}\n$/,
  );
});
