/** The folders behind volumes; the kubelet decides which are needed and what is in them. */
import { chmodSync, lstatSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { giveToGroup } from "./group.ts";
import { resolveInRoot } from "../root/scoped-path.ts";

export { readVolumeFile, writeAtomicVolume, type VolumeFile } from "./atomic-volume.ts";

/** An emptyDir: a folder for everybody, made once. It lies on the node's disk, whatever medium is asked for. */
export function makeEmptyDir(folder: string, group?: number): void {
  if (lstatSync(folder, { throwIfNoEntry: false }) !== undefined) return;
  mkdirSync(folder, { recursive: true });
  // What is made in it belongs to the group too.
  chmodSync(folder, group !== undefined && giveToGroup(folder, group) ? 0o2777 : 0o777);
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

/** Removes a pod's volumes; nothing may be mounted in them any more. */
export function removeVolumes(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
