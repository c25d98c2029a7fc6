/**
 * Writes the files of a ConfigMap, Secret, downward API or projected volume so that a reader sees all of one version or
 * all of the next, in the layout readers of Kubernetes volumes rely on:
 *
 *     <folder>/..version.x7Yz1a/nginx.conf
 *     <folder>/..data -> ..version.x7Yz1a     (replaced by rename, which is atomic)
 *     <folder>/nginx.conf -> ..data/nginx.conf
 */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { giveToGroup } from "./group.ts";

type ModeOf = (file: VolumeFile) => number;

export interface VolumeFile {
  readonly contents: Uint8Array | string;
  /** Permission bits; undefined: the volume's. */
  readonly mode?: number;
}

export class VolumePathError extends Error {
  readonly code = "VolumePath";
}

/**
 * `files` by path inside the volume ("nginx.conf", "keys/tls.crt"). Does nothing when they are already there; returns
 * whether it wrote. Throws `VolumePathError` for an absolute path or one that leaves the volume, before it touches anything.
 */
export function writeAtomicVolume(
  folder: string,
  files: ReadonlyMap<string, VolumeFile>,
  options: {
    readonly mode: number;
    /** To whom the files belong; it may read them, whatever their modes say. */
    readonly group?: number;
  },
): boolean {
  const modeOf = (file: VolumeFile): number => (file.mode ?? options.mode) | (options.group === undefined ? 0 : 0o440);
  for (const path of files.keys()) checkPath(path);
  mkdirSync(folder, { recursive: true });
  const current = currentVersion(folder);
  if (current !== undefined && isSame(join(folder, current), files, modeOf)) return false;
  const version = writeVersion(folder, files, { modeOf, group: options.group });
  rmSync(join(folder, "..data_tmp"), { force: true });
  symlinkSync(version, join(folder, "..data_tmp"));
  renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
  linkTopLevel(folder, files);
  for (const name of readdirSync(folder)) {
    if (name.startsWith("..") && name !== "..data" && name !== version) {
      rmSync(join(folder, name), { recursive: true, force: true });
    }
  }
  return true;
}

function checkPath(path: string): void {
  const parts = path.split("/");
  const isInside = path !== "" && !path.startsWith("/") && !parts.includes("..") && !path.startsWith("..");
  if (!isInside)
    throw new VolumePathError(
      `Cannot write the volume file "${path}": the path must be relative and must not contain or start with ".."`,
    );
}

function currentVersion(folder: string): string | undefined {
  const link = join(folder, "..data");
  return lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(link) : undefined;
}

/** What a reader of the volume sees at `path`; undefined where there is no such file. */
export function readVolumeFile(folder: string, path: string): string | undefined {
  try {
    return readFileSync(join(folder, "..data", path), "utf8");
  } catch {
    return undefined;
  }
}

function isSame(version: string, files: ReadonlyMap<string, VolumeFile>, modeOf: ModeOf): boolean {
  if (!existsSync(version)) return false;
  const present = readdirSync(version, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  if (present.length !== files.size) return false;
  return [...files].every(([path, file]) => {
    const stat = statSync(join(version, path), { throwIfNoEntry: false });
    if (stat === undefined || (stat.mode & 0o7777) !== modeOf(file)) return false;
    return readFileSync(join(version, path)).equals(Buffer.from(file.contents));
  });
}

function writeVersion(
  folder: string,
  files: ReadonlyMap<string, VolumeFile>,
  { modeOf, group }: { readonly modeOf: ModeOf; readonly group: number | undefined },
): string {
  const made = mkdtempSync(join(folder, "..version."));
  chmodSync(made, 0o755);
  for (const [path, file] of files) {
    const target = join(made, path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
    writeFileSync(target, file.contents);
    if (group !== undefined) giveToGroup(target, group);
    chmodSync(target, modeOf(file));
  }
  return made.slice(folder.length + 1);
}

/** Links at the top only: what lies deeper comes with its folder. Stale ones go. */
function linkTopLevel(folder: string, files: ReadonlyMap<string, VolumeFile>): void {
  const wanted = new Set([...files.keys()].map((path) => path.split("/")[0] ?? path));
  for (const name of readdirSync(folder)) {
    if (!name.startsWith("..") && !wanted.has(name)) rmSync(join(folder, name), { recursive: true, force: true });
  }
  for (const name of wanted) {
    if (lstatSync(join(folder, name), { throwIfNoEntry: false }) === undefined)
      symlinkSync(`..data/${name}`, join(folder, name));
  }
}
