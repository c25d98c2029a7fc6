/**
 * Keeps a container's output open beside its monitor. Should somebody kill conmon, the container's next word would
 * otherwise meet a broken pipe: a second reader of the same pipes prevents that, and then goes on with the log. Containers
 * with a terminal have none: their terminal ends with its monitor.
 */
import { appendFileSync, closeSync, fstatSync } from "node:fs";
import { Socket } from "node:net";
import type { Clock } from "../../machinery/clock.ts";
import { findPipe, openPipe } from "../../machinery/process/index.ts";

const streams = ["stdout", "stderr"] as const;
const lineFeed = Buffer.from("\n");
/** A line longer than this is written in parts, as conmon does. */
const longestPartBytes = 8192;

/** The inode numbers of the pipes behind stdout and stderr; with them another agent finds them again. */
export type OutputPipes = readonly [stdout: number, stderr: number];

export interface OutputGuard {
  readonly pipes: OutputPipes;
  /**
   * Reads from now on what the monitor read so far, and appends it to the log; nothing is kept back, so that an agent
   * that is killed takes no half line with it. Only the first call counts.
   */
  takeOver(
    logPath: string,
    options: {
      /** Nobody has the pipes open any more, and all that was said is in the log. */
      readonly onEnd: () => void;
      /** The log cannot be written. */
      readonly onError: (error: unknown) => void;
    },
  ): void;
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

/** Of one that an earlier agent started: found by the inodes, in the first of the processes that has them. */
export function findOutput(pipes: OutputPipes, pids: readonly number[], clock: Clock): OutputGuard | undefined {
  return guardOf(
    pipes.map((inode) => findPipe(inode, pids)),
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
    takeOver: (logPath, { onEnd, onError }) => {
      if (isClosed || readers !== undefined) return;
      let ended = 0;
      readers = open.map((fd, index) => {
        const stream = streams[index] ?? "stdout";
        const socket = new Socket({ fd, readable: true, writable: false });
        socket.on("data", (chunk: Buffer) => {
          try {
            appendFileSync(logPath, logEntries(stream, chunk, clock.now()));
          } catch (error) {
            onError(error);
          }
        });
        socket.on("end", () => {
          ended += 1;
          if (ended === open.length) onEnd();
        });
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

/** Entries of Kubernetes' log format, `<time> stdout F <line>`: P for what is not, or not yet, a whole line, as conmon does. */
export function logEntries(stream: "stdout" | "stderr", chunk: Buffer, nowMs: number): Buffer {
  const time = new Date(nowMs).toISOString().replace("Z", "000000Z");
  const head = { F: Buffer.from(`${time} ${stream} F `), P: Buffer.from(`${time} ${stream} P `) };
  const pieces: Buffer[] = [];
  for (let start = 0; start < chunk.length;) {
    const found = chunk.indexOf(10, start);
    const end = Math.min(found === -1 ? chunk.length : found, start + longestPartBytes);
    const isWhole = end === found;
    pieces.push(isWhole ? head.F : head.P, chunk.subarray(start, end), lineFeed);
    start = isWhole ? end + 1 : end;
  }
  return Buffer.concat(pieces);
}
