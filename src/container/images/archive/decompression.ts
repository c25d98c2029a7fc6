/** Archives and layers come plain or compressed; which it is, their first bytes say: names and media types are often wrong. */
import { closeSync, openSync, readSync } from "node:fs";
import type { Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { ArchiveError } from "./archive-error.ts";

/** Of those Node cannot read, the program that can. */
const foreign: readonly (readonly [magic: string, program: string])[] = [
  ["fd377a585a00", "xz"],
  ["425a68", "bzip2"],
];

/** What to put between the file and its reader, if anything. Throws `ArchiveError` where that must be done by another program. */
export function decompression(path: string): readonly Transform[] {
  const start = firstBytes(path);
  if (start.startsWith("1f8b")) return [createGunzip()];
  if (start.startsWith("28b52ffd")) return [createZstdDecompress()];
  const program = foreign.find(([magic]) => start.startsWith(magic))?.[1];
  if (program === undefined) return [];
  throw new ArchiveError(`Cannot read ${path}: it is compressed with ${program}; unpack it with "${program} -d" first`);
}

function firstBytes(path: string): string {
  const start = Buffer.alloc(6);
  const fd = openSync(path, "r");
  try {
    return start.toString("hex", 0, readSync(fd, start));
  } finally {
    closeSync(fd);
  }
}
