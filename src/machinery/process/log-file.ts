/** A log file that a child writes to itself, kept below a size. */
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "../clock.ts";
import type { Logger } from "../log.ts";

export interface LogFile {
  /** For the child's stdout and stderr. Opened for appending: each write goes to the end, wherever that is now. */
  readonly fd: number;
  /** Where the file has grown beyond its size, moves what it has to `<path>.1` and starts it anew. */
  rotate(): void;
  close(): void;
}

/**
 * The child holds the descriptor, so its lines need no relay and are not lost when we die; in exchange the file is copied
 * and cut instead of renamed. The folder is made where it is missing.
 */
export function openLogFile(path: string, options: { readonly maxBytes?: number }): LogFile {
  const { maxBytes = usualMostBytes } = options;
  mkdirSync(dirname(path), { recursive: true });
  const fd = openSync(path, "a+", 0o600);
  return {
    fd,
    rotate: () => {
      if (fstatSync(fd).size <= maxBytes) return;
      copyFileSync(path, `${path}.1`);
      copyRest(fd, `${path}.1`);
      ftruncateSync(fd, 0);
    },
    close: () => closeSync(fd),
  };
}

/** What the child wrote while the file was copied, which takes as long as it is large. */
function copyRest(fd: number, copy: string): void {
  for (let copied = statSync(copy).size; ;) {
    const rest = Buffer.alloc(fstatSync(fd).size - copied);
    if (rest.length === 0) return;
    const count = readSync(fd, rest, 0, rest.length, copied);
    appendFileSync(copy, rest.subarray(0, count));
    copied += count;
  }
}

const logCheckMs = 5000;
const usualMostBytes = 16 * 1024 * 1024;

/** Keeps the file below its size until the signal aborts. */
export async function keepLogShort(
  file: Pick<LogFile, "rotate">,
  {
    path,
    clock,
    log,
    signal,
  }: { readonly path: string; readonly clock: Clock; readonly log: Logger; readonly signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    try {
      await clock.sleep(logCheckMs, signal);
    } catch {
      return;
    }
    try {
      file.rotate();
    } catch (error) {
      log.warn("cannot shorten a log file", { logFile: path, error });
    }
  }
}

/** The same for a file that somebody else opened for this process: its own log. */
export async function keepOwnLogShort(options: {
  readonly path: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly maxBytes?: number;
}): Promise<void> {
  const file = openLogFile(options.path, options);
  try {
    await keepLogShort(file, options);
  } finally {
    file.close();
  }
}
