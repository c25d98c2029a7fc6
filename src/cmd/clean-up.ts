/** `netloom clean-up CONFIG STATUS`: the supervisor's last act, when a cluster ended without `netloom down`. */
import { dirname } from "node:path";
import {
  endOfStatus,
  findSupervisor,
  isStarting,
  isUnfinished,
  recordEnd,
  removeRunFolder,
  removeTraces,
  withClusterLock,
  withdrawContext,
} from "../components/lab-host/index.ts";
import { systemClock } from "../machinery/clock.ts";
import type { ClusterConfig } from "../model/cluster-config.ts";
import { readClusterFile } from "./cluster-file.ts";

export async function cleanUp([configFile = "", status = ""]: readonly string[]): Promise<void> {
  const config = readClusterFile(configFile);
  // While `netloom up` watches, it tells the user what went wrong, from logs that lie in these folders, and cleans up; that
  // this process ends is how it notices.
  if (isStarting(config.runDir)) return;
  const lock = { runRoot: dirname(config.runDir), name: config.name, command: "clean-up" } as const;
  const { signal } = new AbortController();
  await withClusterLock({ ...lock, clock: systemClock, signal }, async () => settle(config, Number(status)));
}

/**
 * Whoever ended it, by `netloom stop`, the machine's shutdown, a kill or an error of its own: what the cluster has is kept
 * for `netloom start`. A cluster that was never whole leaves nothing.
 */
function settle(config: ClusterConfig, status: number): void {
  const supervisor = findSupervisor(config.runDir);
  // While this process waited, another cluster of the name was made.
  if (supervisor !== undefined && supervisor.pid !== process.pid) return;
  if (isUnfinished(config.stateDir)) {
    removeTraces(config);
    return;
  }
  const end = endOfStatus(status, new Date());
  removeRunFolder(config);
  try {
    // Of one that was stopped the context stays: whoever stopped it knows.
    if (end.how !== "stopped") withdrawContext(config);
  } finally {
    recordEnd(config.stateDir, end);
  }
}
