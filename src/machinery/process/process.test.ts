import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { FakeClock } from "../fake-clock.ts";
import { silentLogger } from "../log.ts";
import { runCommand } from "./index.ts";
import { CommandError } from "./run-command.ts";
import { superviseProcess } from "./supervise-process.ts";
import type { ProcessExit, SuperviseProcessOptions } from "./supervise-process.ts";

test("runCommand() returns what the program wrote", async () => {
  const result = await runCommand(["/bin/sh", "-c", "cat; echo err >&2"], { input: "in" });
  assert.deepEqual(result, { code: 0, stdout: "in", stderr: "err\n" });
});

test("runCommand() rejects with the exit code and stderr", async () => {
  await assert.rejects(runCommand(["/bin/sh", "-c", "echo no such route >&2; exit 2"]), (error) => {
    assert.ok(error instanceof CommandError);
    assert.equal(error.exitCode, 2);
    assert.match(error.message, /ended with exit code 2: no such route$/);
    return true;
  });
});

test("runCommand() accepts exit codes it was told of", async () => {
  const { code } = await runCommand(["/bin/sh", "-c", "exit 3"], { okCodes: [0, 3] });
  assert.equal(code, 3);
});

test("runCommand() names a program that does not exist", async () => {
  await assert.rejects(runCommand(["/nowhere/program"]), /Cannot run "\/nowhere\/program": spawn .* ENOENT/);
});

test("runCommand() kills a program that takes too long", async () => {
  const clock = new FakeClock();
  const running = runCommand(["/bin/sleep", "100"], { timeoutMs: 50, clock });
  const rejected = assert.rejects(running, /it took longer than 50 ms/);
  await clock.advance(50);
  await rejected;
});

test("runCommand() kills a program when its signal aborts", async () => {
  await assert.rejects(runCommand(["/bin/sleep", "100"], { signal: AbortSignal.abort() }), /it was cancelled/);
});

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function supervise(script: string, options: Partial<SuperviseProcessOptions> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "netloom-process-"));
  const logFile = join(folder, "logs", "child.log");
  const clock = new FakeClock();
  const stop = new AbortController();
  const supervised = superviseProcess({
    name: "child",
    command: "/bin/sh",
    args: ["-c", script],
    env: { PATH: "/usr/bin:/bin" },
    logFile,
    backoff: { firstMs: 100, maxMs: 1000, factor: 2, jitter: 0 },
    clock,
    log: silentLogger,
    ...options,
  });
  const running = supervised.run(stop.signal);
  return {
    supervised,
    clock,
    logFile,
    running,
    stop: async () => {
      stop.abort();
      await running;
      rmSync(folder, { recursive: true });
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

test("a supervised process that ends is started again after growing delays", async () => {
  const exits: ProcessExit[] = [];
  const { clock, logFile, stop } = supervise("echo started; exit 3", { onExit: (exit) => void exits.push(exit) });
  const ends = async (count: number): Promise<void> => {
    while (exits.length < count) await nextTurn();
  };
  await ends(1);
  for (const [index, delayMs] of [100, 200, 400].entries()) {
    await clock.advance(delayMs - 1);
    assert.equal(clock.sleeping, 2, "the log's rotation and the delay");
    await clock.advance(1);
    await ends(index + 2);
  }
  assert.equal(exits[0]?.exitCode, 3);
  assert.equal(readFileSync(logFile, "utf8"), "started\n".repeat(4));
  await stop();
});

test("a supervised process that ran for long is started again at once", async () => {
  const starts: number[] = [];
  const { clock, stop } = supervise("exec sleep 100", { onStart: (pid) => void starts.push(pid) });
  const started = async (count: number): Promise<void> => {
    while (starts.length < count) await nextTurn();
  };
  for (const count of [1, 2, 3]) {
    await started(count);
    await clock.advance(1001);
    process.kill(starts.at(-1) ?? 0, "SIGKILL");
  }
  await started(4);
  await stop();
});

test("a supervised process is asked to stop with SIGTERM", async () => {
  const { supervised, logFile, stop } = supervise(
    "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done",
  );
  await supervised.ready;
  while (!readFileSync(logFile, "utf8").includes("up")) await nextTurn();
  const pid = supervised.pid ?? 0;
  assert.ok(pid > 0);
  await stop();
  assert.throws(() => process.kill(pid, 0), /ESRCH/);
});

test("a supervised process that ignores SIGTERM is killed after the timeout", async () => {
  const { supervised, clock, logFile, stop } = supervise("trap '' TERM; echo up; exec sleep 100", {
    stopTimeoutMs: 3000,
  });
  await supervised.ready;
  while (!readFileSync(logFile, "utf8").includes("up")) await nextTurn();
  const pid = supervised.pid ?? 0;
  const stopped = stop();
  await clock.advance(2999);
  assert.doesNotThrow(() => process.kill(pid, 0));
  await clock.advance(1);
  await stopped;
  assert.throws(() => process.kill(pid, 0), /ESRCH/);
});

test("a supervised process is given up where onExit says so, with its log in the message", async () => {
  const { supervised, running, logFile, remove } = supervise("exit 7", { onExit: () => "stop" });
  await assert.rejects(running, new RegExp(`it ended with exit code 7, see ${logFile}`));
  await supervised.ready;
  remove();
});

test("a supervised process that cannot be started is reported like an end", async () => {
  const { running, remove } = supervise("", { command: "/nowhere/program", onExit: () => "stop" });
  await assert.rejects(running, /ENOENT/);
  remove();
});

test("a supervised process' log is moved aside when it has grown beyond its size", async () => {
  const { supervised, clock, logFile, stop } = supervise(
    "head -c 3000 /dev/zero; trap 'echo more; exit 0' TERM; while :; do sleep 0.01; done",
    { maxLogBytes: 2000 },
  );
  await supervised.ready;
  while (statSync(logFile).size < 3000) await nextTurn();
  await clock.advance(5000);
  assert.equal(statSync(logFile).size, 0);
  assert.equal(statSync(`${logFile}.1`).size, 3000);
  await stop();
});
