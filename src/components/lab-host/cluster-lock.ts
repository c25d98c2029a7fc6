/**
 * One command at a time makes, starts, stops or removes a cluster of a name. The lock is flock(2)'s, so a command that
 * was killed holds none; the file is there only while one is at work, and says who.
 */
import { spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../machinery/clock.ts";
import { makeFolder } from "../../machinery/make-folder.ts";
import { makePrivateFolder } from "./folders.ts";
import { identify, isAlive, type ProcessIdentity } from "./process-table.ts";

/** What holds a lock: "up" and "start" may take as long as their --wait, the others end soon. */
export type LockedCommand = "up" | "start" | "stop" | "down" | "image" | "clean-up";

class FlockMissingError extends Error {
  readonly code = "FlockMissing";
}

export class ClusterBusyError extends Error {
  readonly code = "ClusterBusy";
}

export interface LockOptions {
  readonly runRoot: string;
  readonly name: string;
  readonly command: LockedCommand;
  readonly clock: Clock;
  /** Aborts the waiting, which then rejects with its reason. */
  readonly signal: AbortSignal;
}

const lookMs = 20;
/** How long one that ends soon is waited for, and one that was told to end. */
const patienceMs = 15_000;
const isLong: Readonly<Record<LockedCommand, boolean>> = {
  up: true,
  start: true,
  stop: false,
  down: false,
  image: false,
  "clean-up": false,
};

const verbs: Readonly<Record<LockedCommand, string>> = {
  up: "make",
  start: "start",
  stop: "stop",
  down: "end",
  image: "change the images of",
  "clean-up": "clean up after",
};

interface LockHolder extends ProcessIdentity {
  readonly command: LockedCommand;
}

/**
 * Runs `work` while no other command is at work on the cluster. One that ends soon is waited for. One that starts the
 * cluster is not: then this rejects with `ClusterBusyError`, but "down" ends it, as Ctrl-C would. A "clean-up" has all time:
 * whoever makes, stops or ends the cluster meanwhile ends it.
 */
export async function withClusterLock<T>(options: LockOptions, work: () => Promise<T>): Promise<T> {
  // Where no cluster ever was nobody can be at work, and a command that finds nothing leaves nothing.
  if (!isLong[options.command] && !existsSync(options.runRoot)) return await work();
  // Root may end the cluster of another user, who owns the folder.
  if (process.getuid?.() === 0) makeFolder(options.runRoot, { mode: 0o700 });
  else makePrivateFolder(options.runRoot);
  const path = join(options.runRoot, `.${options.name}.lock`);
  const fd = await lock(path, options);
  try {
    return await work();
  } finally {
    // While it is held: whoever waits sees that its file is gone, and takes another.
    rmSync(path, { force: true });
    closeSync(fd);
  }
}

async function lock(path: string, options: LockOptions): Promise<number> {
  const { clock, signal, command } = options;
  const deadline = clock.now() + patienceMs;
  let told: LockHolder | undefined;
  for (;;) {
    signal.throwIfAborted();
    const fd = tryLock(path);
    if (fd !== undefined) {
      // A command that was killed left its own line there.
      ftruncateSync(fd);
      writeSync(fd, JSON.stringify({ ...identify(process.pid), command }));
      return fd;
    }
    const holder = readHolder(path);
    if (command === "clean-up") {
      await clock.sleep(lookMs, signal).catch(() => undefined);
      continue;
    }
    if (holder !== undefined && isLong[holder.command]) {
      if (command !== "down") throw busy(options, holder);
      if (told?.pid !== holder.pid) send(holder, "SIGTERM");
      told = holder;
    }
    if (clock.now() > deadline) {
      if (told === undefined) throw busy(options, holder);
      // It was told long since, and hangs.
      send(told, "SIGKILL");
    }
    await clock.sleep(lookMs, signal).catch(() => undefined);
  }
}

/** Undefined where another command has it. */
function tryLock(path: string): number | undefined {
  const fd = openSync(path, "a+", 0o600);
  // flock(1) locks what it inherits, and the lock stays with the open file when it ends.
  const { status, error } = spawnSync("flock", ["-x", "-n", "3"], { stdio: ["ignore", "ignore", "ignore", fd] });
  if (error !== undefined)
    throw new FlockMissingError(`Cannot run "flock" (${error.message}): install the package util-linux`);
  // It may have been removed by its last holder between the opening and the locking.
  if (status === 0 && statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino) return fd;
  closeSync(fd);
  return undefined;
}

/** Undefined for the moment until its holder has written it. */
function readHolder(path: string): LockHolder | undefined {
  try {
    const holder = JSON.parse(readFileSync(path, "utf8")) as LockHolder;
    return isAlive(holder) && holder.command in isLong ? holder : undefined;
  } catch {
    return undefined;
  }
}

function busy({ name, command }: LockOptions, holder: LockHolder | undefined): ClusterBusyError {
  const who = holder === undefined ? "another netloom" : `"netloom ${holder.command}" (process ${holder.pid})`;
  return new ClusterBusyError(
    `Cannot ${verbs[command]} the cluster "${name}": ${who} is at work on it; wait for that, or end the cluster with "netloom down --name ${name}"`,
  );
}

function send(target: ProcessIdentity, signal: NodeJS.Signals): void {
  try {
    if (isAlive(target)) process.kill(target.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
