/**
 * Keeps a container's output open beside its monitor. Should somebody kill conmon, the container's next word would
 * otherwise meet a broken pipe: a second reader of the same pipes prevents that, and then goes on with the log. Containers
 * with a terminal have none: their terminal ends with its monitor.
 */
import { appendFileSync, closeSync, constants, fstatSync, openSync, readdirSync, readlinkSync } from "node:fs";
import { Socket } from "node:net";
import type { Clock } from "../../machinery/clock.ts";

const streams = ["stdout", "stderr"] as const;
/** A line longer than this is written in parts, as conmon does. */
const longestLineBytes = 8192;

/** The inode numbers of the pipes behind stdout and stderr; with them another agent finds them again. */
export type OutputPipes = readonly [stdout: number, stderr: number];

export interface OutputGuard {
  readonly pipes: OutputPipes;
  /** Reads from now on what the monitor read so far, and appends it to the log. `onError`: the log cannot be written. */
  takeOver(logPath: string, onError: (error: unknown) => void): void;
  /** Harmless when repeated. */
  close(): void;
}

/** Of a container that crun has made and not yet started: its first two descriptors are the monitor's pipes for sure. */
export function guardOutput(pid: number, clock: Clock): OutputGuard | undefined {
  return guardOf(
    streams.map((_, index) => openPipe(`/proc/${pid}/fd/${index + 1}`)),
    clock,
  );
}

/** Of one that runs already: found by the inodes, in its monitor or, where that is gone, in itself. */
export function findOutput(pipes: OutputPipes, pids: readonly number[], clock: Clock): OutputGuard | undefined {
  return guardOf(
    pipes.map((inode) => firstOf(pids, (pid) => openByInode(pid, inode))),
    clock,
  );
}

function guardOf(fds: readonly (number | undefined)[], clock: Clock): OutputGuard | undefined {
  const [stdout, stderr] = fds;
  if (stdout === undefined || stderr === undefined) {
    for (const fd of fds) if (fd !== undefined) closeSync(fd);
    return undefined;
  }
  const open: readonly number[] = [stdout, stderr];
  let readers: readonly Socket[] | undefined;
  let isClosed = false;
  return {
    pipes: [fstatSync(stdout).ino, fstatSync(stderr).ino],
    takeOver: (logPath, onError) => {
      if (isClosed) return;
      readers ??= open.map((fd, index) => {
        const lines = createLineCutter(streams[index] ?? "stdout", clock);
        const write = (text: string): void => {
          try {
            if (text !== "") appendFileSync(logPath, text);
          } catch (error) {
            onError(error);
          }
        };
        const socket = new Socket({ fd, readable: true, writable: false });
        socket.on("data", (chunk: Buffer) => write(lines.add(chunk)));
        socket.on("close", () => write(lines.rest()));
        socket.on("error", onError);
        // It must not keep an agent alive that was told to end.
        socket.unref();
        return socket;
      });
    },
    close: () => {
      if (isClosed) return;
      isClosed = true;
      if (readers === undefined) for (const fd of open) closeSync(fd);
      else for (const reader of readers) reader.destroy();
    },
  };
}

function openPipe(path: string): number | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  if (fstatSync(fd).isFIFO()) return fd;
  closeSync(fd);
  return undefined;
}

function openByInode(pid: number, inode: number): number | undefined {
  const folder = `/proc/${pid}/fd`;
  try {
    const name = readdirSync(folder).find((fd) => readlinkSync(`${folder}/${fd}`) === `pipe:[${inode}]`);
    return name === undefined ? undefined : openPipe(`${folder}/${name}`);
  } catch {
    // The process has ended.
    return undefined;
  }
}

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Cuts a stream into lines of Kubernetes' log format: `<time> stdout F <line>`, P for the part of a longer one. */
export function createLineCutter(
  stream: "stdout" | "stderr",
  clock: Pick<Clock, "now">,
): { add(chunk: Buffer): string; rest(): string } {
  let pending: Buffer = Buffer.alloc(0);
  const entry = (tag: "F" | "P", line: Buffer): string =>
    `${new Date(clock.now()).toISOString().replace("Z", "000000Z")} ${stream} ${tag} ${line.toString()}\n`;
  return {
    add: (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      let text = "";
      for (let end = pending.indexOf(10); end !== -1; end = pending.indexOf(10)) {
        text += entry("F", pending.subarray(0, end));
        pending = pending.subarray(end + 1);
      }
      while (pending.length > longestLineBytes) {
        text += entry("P", pending.subarray(0, longestLineBytes));
        pending = pending.subarray(longestLineBytes);
      }
      return text;
    },
    rest: () => {
      const text = pending.length === 0 ? "" : entry("F", pending);
      pending = Buffer.alloc(0);
      return text;
    },
  };
}
