/** Reads a log as it grows, across rotations of both kinds: the file is cut, or another one takes its place. */
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";

const lineFeed = 0x0a;

/** Must be closed. */
export class LogReader {
  readonly #path: string;
  #fd: number;
  #position = 0;
  /** The beginning of a line whose end was not written yet: in bytes, since it may end within a character. */
  #rest: Buffer = Buffer.alloc(0);

  /** Throws where there is no such file. */
  constructor(path: string) {
    this.#path = path;
    this.#fd = openSync(path, "r");
  }

  /** The lines that came since the last call, each with its line feed; "" where none did. */
  read(): string {
    // Asked before the file is read to its end: what is written to it later is written by nobody.
    const isReplaced = this.#isReplaced();
    const pieces = [this.#rest, ...this.#cutAway(), this.#readOn(this.#fd)];
    if (isReplaced) {
      const next = openSync(this.#path, "r");
      closeSync(this.#fd);
      this.#fd = next;
      this.#position = 0;
      pieces.push(this.#readOn(this.#fd));
    }
    const bytes = Buffer.concat(pieces);
    const end = bytes.lastIndexOf(lineFeed) + 1;
    this.#rest = bytes.subarray(end);
    return bytes.toString("utf8", 0, end);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #isReplaced(): boolean {
    const present = statSync(this.#path, { throwIfNoEntry: false });
    return present !== undefined && present.ino !== fstatSync(this.#fd).ino;
  }

  /** Where the file was cut, what it had got before that and we have not read: it lies in the copy. */
  #cutAway(): readonly Buffer[] {
    if (fstatSync(this.#fd).size >= this.#position) return [];
    const copy = openOrNone(`${this.#path}.1`);
    try {
      return copy === undefined ? [] : [this.#readOn(copy)];
    } finally {
      if (copy !== undefined) closeSync(copy);
      this.#position = 0;
    }
  }

  #readOn(fd: number): Buffer {
    const missing = fstatSync(fd).size - this.#position;
    if (missing <= 0) return Buffer.alloc(0);
    const bytes = Buffer.alloc(missing);
    const count = readSync(fd, bytes, 0, missing, this.#position);
    this.#position += count;
    return bytes.subarray(0, count);
  }
}

function openOrNone(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
