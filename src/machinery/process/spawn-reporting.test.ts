import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { SystemCallError } from "../libc/index.ts";
import { spawnReporting } from "./index.ts";

const request = { argv: ["sh"], env: {}, folder: "/", descriptors: new Map<number, number>(), reportFd: 3 } as const;
const script = (line: string) => ({ ...request, path: "/bin/sh", argv: ["sh", "-c", line] });

test("spawnReporting() gives what the program writes to the descriptor, and its folder and environment to the program", async () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "netloom-spawn-")));
  const report = spawnReporting({
    ...script('echo "$PWD $WORD $UNSET"; pwd >&3; echo "$WORD $UNSET." >&3'),
    folder,
    env: { WORD: "one two", UNSET: undefined },
  });
  assert.equal(await text(report), `${folder}\none two .\n`);
  rmSync(folder, { recursive: true });
});

test("spawnReporting() hands descriptors on, and /dev/null for those it is not given", async () => {
  const folder = mkdtempSync(join(tmpdir(), "netloom-spawn-"));
  const log = openSync(join(folder, "log"), "w");
  const report = spawnReporting({
    ...script("echo error >&2; echo lost; read line; for fd in 0 1; do readlink /proc/self/fd/$fd >&3; done"),
    env: { PATH: "/usr/bin:/bin" },
    descriptors: new Map([[2, log]]),
  });
  assert.equal((await text(report)).split("\n")[0], "/dev/null");
  assert.equal(readFileSync(join(folder, "log"), "utf8"), "error\n");
  closeSync(log);
  rmSync(folder, { recursive: true });
});

test("a program that spawnReporting() started has no signal blocked or ignored", async () => {
  const report = spawnReporting(script('while read line; do echo "$line" >&3; done < /proc/self/status'));
  const lines = (await text(report)).split("\n");
  for (const name of ["SigBlk:", "SigIgn:"]) {
    assert.match(lines.find((line) => line.startsWith(name)) ?? "", /^\w+:\s0+$/);
  }
});

test("programs that spawnReporting() started are waited for", async () => {
  const reports = await Promise.all(
    Array.from({ length: 20 }, async () => await text(spawnReporting(script("echo $$ >&3")))),
  );
  const pids = new Set(reports.map((report) => report.trim()));
  const children = (): readonly string[] =>
    readFileSync(`/proc/self/task/${process.pid}/children`, "utf8")
      .split(" ")
      .filter((pid) => pids.has(pid));
  while (children().length > 0) await new Promise((resolve) => void setImmediate(resolve));
});

test("spawnReporting() throws where there is no such program", () => {
  assert.throws(
    () => spawnReporting({ ...request, path: "/no/such/program" }),
    (error) => error instanceof SystemCallError && error.code === "ENOENT",
  );
});
