/** `netloom down`: ends a cluster and removes every trace of it, in whatever state it is. */
import { existsSync } from "node:fs";
import {
  endProcesses,
  findSupervisor,
  hostFolders,
  knownClusters,
  type Progress,
  removeTraces,
} from "../components/lab-host/index.ts";
import { systemClock } from "../machinery/clock.ts";
import { clusterFolders } from "./clusters.ts";

/** The names of this user's clusters, running or not. */
export const everyCluster = (): readonly string[] => knownClusters(hostFolders());

/** Harmless where there is no such cluster; says so. */
export async function down(name: string, progress: Progress): Promise<void> {
  const started = performance.now();
  const folders = clusterFolders(name);
  const supervisor = findSupervisor(folders.runDir);
  if (supervisor === undefined && !existsSync(folders.stateDir) && !existsSync(folders.runDir)) {
    progress.say(`There is no cluster "${name}"`);
    return;
  }
  if (supervisor !== undefined) await endProcesses(supervisor, systemClock);
  removeTraces(folders);
  progress.done(`cluster "${name}" is gone`, `${Math.round(performance.now() - started)} ms`);
}
