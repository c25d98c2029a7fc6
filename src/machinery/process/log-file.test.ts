import assert from "node:assert/strict";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { FakeClock } from "../fake-clock.ts";
import { silentLogger } from "../log.ts";
import { keepOwnLogShort } from "./index.ts";

const folder = mkdtempSync(join(tmpdir(), "netloom-log-file-"));
after(() => rmSync(folder, { recursive: true }));

test("a process' own log is cut when it has grown beyond its size, and what it had is kept once", async () => {
  const path = join(folder, "holder.log");
  const clock = new FakeClock();
  const stop = new AbortController();
  const running = keepOwnLogShort({ path, clock, log: silentLogger, signal: stop.signal, maxBytes: 100 });
  appendFileSync(path, "short\n");
  await clock.advance(60_000);
  assert.equal(readFileSync(path, "utf8"), "short\n");
  assert.equal(existsSync(`${path}.1`), false);
  for (let round = 0; round < 5; round += 1) {
    appendFileSync(path, `${round} ${"x".repeat(200)}\n`);
    await clock.advance(10_000);
    assert.equal(readFileSync(path, "utf8"), "");
  }
  assert.match(readFileSync(`${path}.1`, "utf8"), /^4 x/);
  stop.abort();
  await running;
});
