/**
 * Unpacks one layer over those below it, into one folder: OCI's whiteouts remove what lies below. Safe against hostile
 * archives: names are resolved within the root as if it were "/", whatever links earlier entries made; device nodes are
 * left out; the files belong to who unpacks, or to their owners where that is root.
 */
import {
  chmodSync,
  createReadStream,
  createWriteStream,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Header } from "tar-stream";
import { resolveInRoot } from "../../root/scoped-path.ts";
import { ArchiveError } from "./archive-error.ts";
import { decompression } from "./decompression.ts";
import { readTar } from "./read-tar.ts";

const whiteout = ".wh.";
const opaque = ".wh..wh..opq";

/** `layer` is a tar archive, plain or compressed with gzip or zstd. Rejects with `ArchiveError` or the file system's error. */
export async function unpackLayer(layer: string, root: string): Promise<void> {
  const isRoot = process.getuid?.() === 0;
  const made = new Set<string>();
  await readTar([createReadStream(layer), ...decompression(layer)], (entry) =>
    unpackEntry(entry.header, entry as unknown as AsyncIterable<Uint8Array>, { root, made, isRoot }),
  );
}

interface Target {
  readonly root: string;
  /** Paths this layer made: an opaque mark removes only what lies below it. */
  readonly made: Set<string>;
  readonly isRoot: boolean;
}

async function unpackEntry(
  header: Header,
  contents: AsyncIterable<Uint8Array>,
  { root, made, isRoot }: Target,
): Promise<void> {
  const name = basename(header.name);
  if (["", ".", "..", "/"].includes(name)) return;
  const parent = resolveInRoot(root, dirname(header.name));
  if (lstatSync(parent, { throwIfNoEntry: false })?.isDirectory() !== true) makeParent(root, parent);
  if (name === opaque) {
    for (const child of readdirSync(parent).map((entry) => join(parent, entry))) {
      if (!made.has(child)) rmSync(child, { recursive: true, force: true });
    }
    return;
  }
  if (name.startsWith(whiteout)) {
    const hidden = name.slice(whiteout.length);
    if (hidden !== "" && hidden !== "." && hidden !== "..")
      rmSync(join(parent, hidden), { recursive: true, force: true });
    return;
  }
  const path = join(parent, name);
  const present = lstatSync(path, { throwIfNoEntry: false });
  const isKeptFolder = present?.isDirectory() === true && header.type === "directory";
  if (present !== undefined && !isKeptFolder) rmSync(path, { recursive: true, force: true });
  if (!(await makeEntry(header, contents, { path, root }))) return;
  made.add(path);
  if (header.type === "link") return;
  if (isRoot) lchownSync(path, header.uid ?? 0, header.gid ?? 0);
  if (header.type !== "symlink") chmodSync(path, modeOf(header));
}

/** Returns whether there is now something at `path`. */
async function makeEntry(
  header: Header,
  contents: AsyncIterable<Uint8Array>,
  { path, root }: { readonly path: string; readonly root: string },
): Promise<boolean> {
  switch (header.type) {
    case "directory":
      mkdirSync(path, { recursive: true });
      return true;
    case "symlink":
      symlinkSync(header.linkname ?? "", path);
      return true;
    case "link": {
      const linkname = header.linkname ?? "";
      linkSync(join(resolveInRoot(root, dirname(linkname)), basename(linkname)), path);
      return true;
    }
    case "file":
    case "contiguous-file":
    case undefined:
      await pipeline(contents, createWriteStream(path, { flags: "wx", mode: 0o600 }));
      return true;
    case "character-device":
    case "block-device":
    case "fifo":
    default:
      // Devices and FIFOs: the runtime makes the few devices a container has.
      return false;
  }
}

function makeParent(root: string, parent: string): void {
  if (!parent.startsWith(`${root}/`))
    throw new ArchiveError(`Cannot unpack an entry below ${parent}: it leaves the image`);
  mkdirSync(parent, { recursive: true, mode: 0o755 });
}

/** Folders stay open to their owner, so that they can be filled and removed. */
function modeOf({ mode, type }: Header): number {
  return type === "directory" ? (mode & 0o7777) | 0o700 : mode & 0o7777;
}
