import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import type { ContainerStatus } from "../../../container/runtime.ts";
import { FakeClock } from "../../../machinery/fake-clock.ts";
import { silentLogger } from "../../../machinery/log.ts";
import { parseLogLine } from "./log-line.ts";
import { readLog } from "./read-log.ts";
import { rotateLogs } from "./rotate-logs.ts";

/** A line that fills a log to the brim. */
const brim = (mark: string): string =>
  `2026-11-20T10:00:00.000000000Z stdout F ${mark} ${"x".repeat(10 * 1024 * 1024)}\n`;

async function withLog(
  work: (rig: {
    readonly folder: string;
    readonly path: string;
    readonly clock: FakeClock;
    readonly reopened: string[];
    /** Fills the log, lets the kubelet look, and waits for what it does. */
    readonly rotate: (mark: string) => Promise<void>;
  }) => Promise<void>,
  state: "running" | "exited" = "running",
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "netloom-logs-"));
  const path = join(folder, "0.log");
  writeFileSync(path, "");
  const clock = new FakeClock();
  const reopened: string[] = [];
  const stop = new AbortController();
  const status = { id: "c1", logPath: path, state: { type: state } } as unknown as ContainerStatus;
  let looked = Promise.withResolvers<void>();
  const runtime = {
    list: () => {
      looked.resolve();
      return Promise.resolve([status]);
    },
    reopenLog: (id: string) => {
      reopened.push(id);
      writeFileSync(path, "");
    },
  };
  const running = rotateLogs({ runtime, clock, log: silentLogger }, stop.signal);
  const rotate = async (mark: string): Promise<void> => {
    appendFileSync(path, brim(mark));
    looked = Promise.withResolvers<void>();
    await clock.advance(10_000);
    await looked.promise;
    // It sleeps again only when it is done with this one.
    while (clock.sleeping === 0) await new Promise((resolve) => setImmediate(resolve));
  };
  try {
    await work({ folder, path, clock, reopened, rotate });
  } finally {
    stop.abort();
    await running;
    rmSync(folder, { recursive: true });
  }
}

test("rotateLogs() keeps five files of a log, packs the older ones, and lets the runtime open a new one", async () => {
  await withLog(async ({ folder, reopened, rotate }) => {
    for (const mark of ["a", "b", "c", "d", "e", "f"]) await rotate(mark);
    assert.deepEqual(reopened.length, 6);
    const names = readdirSync(folder).toSorted();
    assert.equal(names.length, 5, names.join());
    const [now = "", ...old] = names;
    assert.equal(readFileSync(join(folder, now), "utf8"), "");
    const texts = old.map((name) => {
      const bytes = readFileSync(join(folder, name));
      return (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8", 40, 41);
    });
    assert.deepEqual(texts, ["c", "d", "e", "f"]);
    assert.deepEqual(
      old.map((name) => name.endsWith(".gz")),
      [true, true, true, false],
    );
  });
});

test("rotateLogs() leaves the logs of ended containers alone", async () => {
  await withLog(async ({ folder, rotate }) => {
    await rotate("a");
    assert.deepEqual(readdirSync(folder), ["0.log"]);
  }, "exited");
});

test("readLog() follows a log over its rotation and misses nothing", async () => {
  await withLog(async ({ path, rotate }) => {
    const stop = new AbortController();
    const options = { follow: true, timestamps: false } as Parameters<typeof readLog>[1];
    const source = { onEnded: () => () => undefined, signal: stop.signal, parse: parseLogLine };
    const seen: string[] = [];
    const reader = readLog(path, options, source);
    const next = async (): Promise<void> => {
      const { value } = await reader.next();
      if (value !== undefined) seen.push(value.toString("utf8", 0, 1));
    };
    const line = (mark: string): string => `2026-11-20T10:00:00.000000000Z stdout F ${mark}\n`;
    appendFileSync(path, line("1"));
    await next();
    const first = next();
    await rotate("2");
    await first;
    appendFileSync(path, line("3"));
    await next();
    const second = next();
    await rotate("4");
    await second;
    appendFileSync(path, line("5"));
    await next();
    stop.abort();
    await reader.return(undefined);
    assert.deepEqual(seen, ["1", "2", "3", "4", "5"]);
  });
});
