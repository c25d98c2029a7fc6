/** What a killed agent, conmon or crun has left half-done is taken away. */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../machinery/clock.ts";
import { removeRoot } from "../root/overlay.ts";
import type { ContainerFolders } from "./container-folder.ts";
import { unpinPodNamespaces } from "./pod-namespaces.ts";
import { processesOf } from "./processes.ts";
import { runCrun, type CrunTools } from "./tools.ts";

const lookMs = 10;
const mostLooks = 500;

/** Kills all that works for the container, and waits until it is gone. */
export async function endProcessesOf(id: string, folders: ContainerFolders, clock: Clock): Promise<void> {
  const rootPath = join(folders.folder(id), "rootfs");
  // Again and again: what was about to start another process may just have done so.
  for (let look = 0; look < mostLooks; look += 1) {
    const pids = processesOf(id, rootPath);
    if (pids.length === 0) return;
    for (const pid of pids) kill(pid);
    await clock.sleep(lookMs);
  }
}

/** Of a container that has ended or never ran: crun's state, and what holds it. Harmless when there is none. */
export async function deleteContainer(
  tools: CrunTools,
  { id, folders, clock }: { readonly id: string; readonly folders: ContainerFolders; readonly clock: Clock },
): Promise<void> {
  const state = join(folders.crun, id);
  if (!existsSync(state)) return;
  const { exitCode } = await runCrun(tools, ["delete", "--force", id]);
  // It may have been killed itself, or its state be half-written.
  if (exitCode !== 0) await endProcessesOf(id, folders, clock);
  rmSync(state, { recursive: true, force: true });
}

/**
 * Removes whatever is there of containers and pods that `known` does not hold: of those whose agent was killed while it
 * started or removed them.
 */
export async function removeUnknown(
  tools: CrunTools,
  options: {
    readonly folders: ContainerFolders;
    readonly clock: Clock;
    /** The runtime is closed: another may be at work here. Rejects with its reason. */
    readonly signal: AbortSignal;
    readonly known: { readonly ids: ReadonlySet<string>; readonly pods: ReadonlySet<string> };
  },
): Promise<void> {
  const { folders, clock, known, signal } = options;
  const ids = new Set([folders.containers, folders.crun, folders.exits].flatMap((folder) => readdirSync(folder)));
  for (const id of ids) {
    if (known.ids.has(id)) continue;
    await endProcessesOf(id, folders, clock);
    await deleteContainer(tools, { id, folders, clock });
    signal.throwIfAborted();
    removeRoot(folders.folder(id));
    rmSync(folders.exitFile(id), { force: true });
  }
  for (const uid of readdirSync(folders.pods)) {
    if (!known.pods.has(uid)) unpinPodNamespaces(join(folders.pods, uid));
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
