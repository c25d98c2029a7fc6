/** Where a pod's files lie under the node's root, at upstream's places. */
import { readdirSync } from "node:fs";
import type { Pod } from "../../../api/generated/types.ts";

const podDirs = (nodeRoot: string): string => `${nodeRoot}/var/lib/kubelet/pods`;
const podLogDirs = (nodeRoot: string): string => `${nodeRoot}/var/log/pods`;

/** `/var/lib/kubelet/pods/<uid>`: volumes, `etc-hosts`, termination messages. */
export function podDir(nodeRoot: string, uid: string): string {
  return `${podDirs(nodeRoot)}/${uid}`;
}

/** `/var/log/pods/<namespace>_<name>_<uid>`, with a folder per container and a file per restart. */
export function podLogDir(nodeRoot: string, { metadata = {} }: Pod): string {
  return `${podLogDirs(nodeRoot)}/${metadata.namespace}_${metadata.name}_${metadata.uid}`;
}

/** The uids of all pods that have files on the node, with their folders. */
export function podFoldersOnDisk(nodeRoot: string): ReadonlyMap<string, readonly string[]> {
  const folders = new Map<string, readonly string[]>();
  const note = (uid: string, folder: string): void => void folders.set(uid, [...(folders.get(uid) ?? []), folder]);
  for (const uid of namesIn(podDirs(nodeRoot))) note(uid, podDir(nodeRoot, uid));
  // Neither a namespace nor a name nor a uid has an underscore in it.
  for (const name of namesIn(podLogDirs(nodeRoot)))
    note(name.split("_").at(-1) ?? "", `${podLogDirs(nodeRoot)}/${name}`);
  return folders;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    // No pod was here yet.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

export function containerLogPath(
  nodeRoot: string,
  pod: Pod,
  run: { readonly name: string; readonly attempt: number },
): string {
  return `${podLogDir(nodeRoot, pod)}/${run.name}/${run.attempt}.log`;
}
