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
export function openLogFile(path: string, options: { readonly maxBytes: number }): LogFile {
  mkdirSync(dirname(path), { recursive: true });
  const fd = openSync(path, "a+", 0o600);
  return {
    fd,
    rotate: () => {
      if (fstatSync(fd).size <= options.maxBytes) return;
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
