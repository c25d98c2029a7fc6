/** The folders behind volumes; the kubelet decides which are needed and what is in them. */
import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { mount, unmountAll } from "../../machinery/libc/index.ts";
import { giveToGroup } from "./group.ts";
import { resolveInRoot } from "../root/scoped-path.ts";

export { readVolumeFile, writeAtomicVolume, type VolumeFile } from "./atomic-volume.ts";

/** An emptyDir: a folder for everybody, made once, on the node's disk. */
export function makeEmptyDir(folder: string, group?: number): void {
  if (lstatSync(folder, { throwIfNoEntry: false }) !== undefined) return;
  mkdirSync(folder, { recursive: true });
  openToAll(folder, group);
}

/** An emptyDir in memory, of `sizeBytes` at most; without a size the kernel's limit counts, half of the memory. */
export function makeMemoryDir(
  folder: string,
  { group, sizeBytes }: { readonly group?: number; readonly sizeBytes?: number } = {},
): void {
  mkdirSync(folder, { recursive: true });
  // After a start of the cluster the folder is there, and what was in memory is not.
  if (statSync(folder).dev !== statSync(dirname(folder)).dev) return;
  const size = sizeBytes === undefined || sizeBytes <= 0 ? "" : `,size=${Math.ceil(sizeBytes)}`;
  mount({ source: "tmpfs", target: folder, type: "tmpfs", data: `mode=777${size}` });
  openToAll(folder, group);
}

function openToAll(folder: string, group: number | undefined): void {
  // What is made in it belongs to the group too.
  chmodSync(folder, group !== undefined && giveToGroup(folder, group) ? 0o2777 : 0o777);
}

/**
 * The place of `path` in a volume, made as a folder where nothing is. A container may have written the volume: its
 * links are followed within the volume, as the container sees them, and lead nowhere else.
 */
export function makeSubPath(volume: string, path: string): string {
  const place = resolveInRoot(volume, path);
  if (lstatSync(place, { throwIfNoEntry: false }) === undefined) {
    const first = mkdirSync(place, { recursive: true }) ?? place;
    // As open as the volume itself, whatever the mask of this process.
    const mode = statSync(volume).mode & 0o7777;
    for (let folder = place; folder.length >= first.length; folder = dirname(folder)) chmodSync(folder, mode);
  }
  return place;
}

/**
 * The folder behind a volume that was made for a claim: the place of `path` as the node sees it, its links followed
 * within the node's root; made as a folder for everybody where nothing is.
 */
export function makeHostFolder(nodeRoot: string, path: string): string {
  const folder = resolveInRoot(nodeRoot, path);
  makeEmptyDir(folder);
  return folder;
}

class HostPathError extends Error {
  readonly code = "HostPath";
}

/**
 * The source of a hostPath volume: `path` as the node sees it, its links followed within the node's root. `type` as in
 * the manifest; the folder or file of the "…OrCreate" types is made. Throws `HostPathError` with upstream's words.
 */
export function resolveHostPath(nodeRoot: string, path: string, type = ""): string {
  const source = resolveInRoot(nodeRoot, path);
  const find = () => lstatSync(source, { throwIfNoEntry: false });
  // Without a type the runtime makes a missing folder, as other runtimes do.
  if (find() === undefined && (type === "DirectoryOrCreate" || type === ""))
    mkdirSync(source, { recursive: true, mode: 0o755 });
  if (find() === undefined && type === "FileOrCreate") writeFileSync(source, "", { mode: 0o644 });
  const stat = find();
  const isRight =
    type === "" ||
    (type.startsWith("Directory") && stat?.isDirectory()) ||
    (type.startsWith("File") && stat?.isFile()) ||
    (type === "Socket" && stat?.isSocket()) ||
    (type === "CharDevice" && stat?.isCharacterDevice()) ||
    (type === "BlockDevice" && stat?.isBlockDevice());
  if (!isRight) throw new HostPathError(`hostPath type check failed: ${path} is not a ${typeWords[type] ?? type}`);
  return source;
}

const typeWords: Readonly<Record<string, string>> = {
  Directory: "directory",
  DirectoryOrCreate: "directory",
  File: "file",
  FileOrCreate: "file",
  Socket: "socket file",
  CharDevice: "character device",
  BlockDevice: "block device",
};

/** Removes a pod's volumes, those in memory too. */
export function removeVolumes(folder: string): void {
  for (const plugin of namesIn(folder)) {
    for (const volume of namesIn(join(folder, plugin))) unmountAll(join(folder, plugin, volume));
  }
  rmSync(folder, { recursive: true, force: true });
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return [];
    throw error;
  }
}
