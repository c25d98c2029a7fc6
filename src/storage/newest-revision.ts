/**
 * The newest revision that was acknowledged, in a file beside the database. SQLite takes a log that ends early, or is gone, for
 * the trace of a crash, and says nothing; with this the store knows that more was there.
 *
 * It is written after the commit and never flushed, so a crash leaves it as it is or older, and what it names was on disk.
 */
import { closeSync, constants, openSync, readFileSync, writeSync } from "node:fs";

export const newestRevisionFile = (database: string): string => `${database}-newest`;

const digits = 20;

/** Undefined where it was never written, or is no number. */
export function readNewestRevision(database: string): number | undefined {
  try {
    const text = readFileSync(newestRevisionFile(database), "utf8");
    return /^\d{20}\n$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}

export interface NewestRevision {
  /** Never fails: an older note proves less, and nothing wrong. */
  note(revision: number): void;
  close(): void;
}

/** Makes the file where it is missing and can be made. */
export function openNewestRevision(database: string): NewestRevision {
  let fd: number | undefined;
  try {
    fd = openSync(newestRevisionFile(database), constants.O_RDWR | constants.O_CREAT, 0o600);
  } catch {
    fd = undefined;
  }
  return {
    note: (revision) => {
      if (fd === undefined) return;
      try {
        writeSync(fd, `${String(revision).padStart(digits, "0")}\n`, 0);
      } catch {
        // The disk is full, or became read-only.
      }
    },
    close: () => {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}
