/** `netloom stop`: ends a cluster's processes in order; what it is made of stays for `netloom start`. */
import { existsSync } from "node:fs";
import {
  endOfStatus,
  findSupervisor,
  type Progress,
  recordEnd,
  removeRunFolder,
  stopProcesses,
} from "../components/lab-host/index.ts";
import { systemClock } from "../machinery/clock.ts";
import { clusterFolders, CommandError, named } from "./clusters.ts";

/** The parts of a cluster end in some ten milliseconds each; what takes longer is killed. */
const graceMs = 8000;

/** Harmless where the cluster is stopped already; says so. Rejects with `CommandError` where there is none. */
export async function stop(name: string, progress: Progress): Promise<void> {
  const started = performance.now();
  const folders = clusterFolders(name);
  const supervisor = findSupervisor(folders.runDir);
  if (supervisor === undefined) {
    if (!existsSync(folders.stateDir)) throw new CommandError(`There is no cluster "${name}"`);
    progress.say(`The cluster "${name}" does not run`);
    return;
  }
  await stopProcesses(supervisor, { clock: systemClock, graceMs });
  removeRunFolder(folders);
  recordEnd(folders.stateDir, endOfStatus(0, new Date()));
  const took = `${Math.round(performance.now() - started)} ms`;
  progress.done(`cluster "${name}" is stopped`, `start it again with "netloom start${named(name)}", ${took}`);
}
