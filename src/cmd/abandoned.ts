/** What a `netloom up` or `start` leaves behind that was killed: its processes are about to end, its folders may be half-made. */
import {
  endProcesses,
  findSupervisor,
  isMarkedStarting,
  isUnfinished,
  type Progress,
  removeRunFolder,
  removeTraces,
} from "../components/lab-host/index.ts";
import { systemClock } from "../machinery/clock.ts";
import { clusterFolders } from "./clusters.ts";

/** Only for who has the cluster's lock: nobody else is at work on it. A cluster that was whole keeps its state. */
export async function removeAbandoned(name: string, progress: Progress): Promise<void> {
  const folders = clusterFolders(name);
  const supervisor = findSupervisor(folders.runDir);
  if (supervisor !== undefined) {
    if (!isMarkedStarting(folders.runDir)) return;
    await endProcesses(supervisor, systemClock);
    removeRunFolder(folders);
  }
  if (!isUnfinished(folders.stateDir)) return;
  progress.say(`What an interrupted command left of the cluster "${name}" is removed`);
  removeTraces(folders);
}
