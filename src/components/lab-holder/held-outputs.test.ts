import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, readdirSync, readFileSync, readlinkSync, readSync } from "node:fs";
import { text } from "node:stream/consumers";
import { afterEach, describe, test } from "node:test";
import { FakeClock } from "../../machinery/fake-clock.ts";
import { findPipe } from "../../machinery/process/index.ts";
import { HeldOutputs } from "./held-outputs.ts";

/** A writer that tells on stderr how its word went, and the reader of its pipe: Node's own pipes are sockets. */
interface Pair {
  readonly shell: ChildProcess;
  readonly writer: number;
  readonly reader: number;
  readonly inode: number;
}

const shells: ChildProcess[] = [];

/** Of a test that failed half-way: the reader sleeps for long. */
function endShells(): void {
  for (const { pid, exitCode, signalCode } of shells.splice(0)) {
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, "SIGKILL");
  }
}

async function makePair(): Promise<Pair> {
  const script =
    "trap '' PIPE; (echo ready >&2; read go; echo said; echo $? >&2) | { echo ready >&2; exec sleep 1000; }";
  const shell = spawn("/bin/sh", ["-c", script], { detached: true, stdio: ["pipe", "ignore", "pipe"] });
  shells.push(shell);
  // Before that, either may have the shell's own files still; and a shell that writes elsewhere does so as its stdout.
  let told = "";
  while (told !== "ready\nready\n") told += String(((await once(shell.stderr, "data")) as [Buffer])[0]);
  const path = `/proc/${shell.pid}/task/${shell.pid}/children`;
  const [writer = 0, reader = 0] = readFileSync(path, "utf8").trim().split(" ").map(Number);
  return { shell, writer, reader, inode: Number(/\d+/.exec(readlinkSync(`/proc/${reader}/fd/0`))?.[0]) };
}

/** The reader is killed, and the writer speaks: "0" where it could. */
async function speak({ shell, reader }: Pair): Promise<string> {
  process.kill(reader, "SIGKILL");
  while (hasOpenFiles(reader)) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(shell.stderr !== null);
  const told = text(shell.stderr);
  const ended = once(shell, "exit");
  shell.stdin?.end("go\n");
  // Until the shell has waited for the writer, that is there still.
  await ended;
  return /^\d+$/m.exec(await told)?.[0] ?? "";
}

/** False also for one that has ended, or nearly. */
function hasOpenFiles(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).length > 0;
  } catch {
    return false;
  }
}

describe("HeldOutputs", () => {
  const clock = new FakeClock();
  const held = new HeldOutputs(clock);
  afterEach(() => {
    endShells();
    held.close();
  });

  test("keeps what is said while nobody reads, also when the writer has ended", async () => {
    const pair = await makePair();
    held.hold({ id: "web", pids: [0, pair.writer], pipes: [pair.inode] });
    held.hold({ id: "web", pids: [0, pair.writer], pipes: [pair.inode] });
    assert.equal(await speak(pair), "0");
    const fd = findPipe(pair.inode, [process.pid]);
    assert.ok(fd !== undefined);
    const bytes = Buffer.alloc(100);
    assert.equal(bytes.toString("utf8", 0, readSync(fd, bytes)), "said\n");
    closeSync(fd);
    assert.equal(held.count, 1);
    held.release("web");
    held.release("web");
    assert.equal(findPipe(pair.inode, [process.pid]), undefined);
  });

  test("without it the word is lost", async () => assert.equal(await speak(await makePair()), "1"));

  test("takes nothing of pipes that are gone, and lets go of those whose processes ended long ago", async () => {
    held.hold({ id: "gone", pids: [0], pipes: [1, 2] });
    assert.equal(held.count, 0);
    const [dead, alive] = [await makePair(), await makePair()];
    held.hold({ id: "dead", pids: [dead.writer], pipes: [dead.inode] });
    held.hold({ id: "alive", pids: [alive.writer], pipes: [alive.inode] });
    await speak(dead);
    // Seen to be gone, and a minute later still.
    for (let minutes = 0; minutes < 2; minutes += 1) {
      assert.equal(held.count, 2);
      await clock.advance(60_000);
      held.hold({ id: "alive", pids: [alive.writer], pipes: [alive.inode] });
    }
    assert.equal(held.count, 1);
    await speak(alive);
  });
});
