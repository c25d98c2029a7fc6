/** `/var/log/containers`: one link per container run to its log, under the name by which collectors of logs tell its pod. */
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { Pod } from "../../../api/generated/types.ts";
import { containerLogPath } from "./paths.ts";

const folder = "/var/log/containers";

interface Run {
  /** Of the container. */
  readonly name: string;
  readonly id: string;
}

/** `<pod>_<namespace>_<container>-<id>.log`, as upstream. */
function linkPath(nodeRoot: string, { metadata = {} }: Pod, { name, id }: Run): string {
  return `${nodeRoot}${folder}/${metadata.name}_${metadata.namespace}_${name}-${id}.log`;
}

/** Leaves a link that is there as it is. Its target is a path of the node: it leads there inside the node's root only. */
export async function linkLog(nodeRoot: string, pod: Pod, run: Run & { readonly attempt: number }): Promise<void> {
  await mkdir(`${nodeRoot}${folder}`, { recursive: true });
  try {
    await symlink(containerLogPath("", pod, run), linkPath(nodeRoot, pod, run));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

export async function unlinkLog(nodeRoot: string, pod: Pod, run: Run): Promise<void> {
  await rm(linkPath(nodeRoot, pod, run), { force: true });
}

/** Removes links whose log is gone: of pods that went while no kubelet ran. */
export async function removeDeadLogLinks(nodeRoot: string): Promise<void> {
  const path = `${nodeRoot}${folder}`;
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const link = join(path, entry.name);
    if (entry.isSymbolicLink() && !existsSync(`${nodeRoot}${readlinkSync(link)}`)) await rm(link, { force: true });
  }
}
