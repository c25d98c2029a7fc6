/** Finds clusters of this user by name. */
import { join } from "node:path";
import { findInit, findSupervisor, hostFolders } from "../components/lab-host/index.ts";
import { clusterPaths, type ClusterConfig } from "../model/cluster-config.ts";
import { readClusterFile } from "./cluster-file.ts";

/** A mistake of the user's; shown without a stack, exit code 1. */
export class CommandError extends Error {
  readonly code = "CommandRefused";
}

export function clusterFolders(name: string) {
  const folders = hostFolders();
  return { stateDir: join(folders.stateRoot, name), runDir: join(folders.runRoot, name), toolsDir: folders.toolsDir };
}

export interface RunningCluster {
  readonly config: ClusterConfig;
  readonly supervisor: { readonly pid: number; readonly startTicks: number };
  /** The init of the cluster, as a process of the host. */
  readonly initPid: number;
}

/** Throws `CommandError` where the cluster does not run. */
export function runningCluster(name: string): RunningCluster {
  const folders = clusterFolders(name);
  const supervisor = findSupervisor(folders.runDir);
  const init = supervisor === undefined ? undefined : findInit(supervisor);
  if (supervisor === undefined || init === undefined) {
    throw new CommandError(
      `There is no running cluster "${name}": start it with "netloom up${name === "netloom" ? "" : ` --name ${name}`}"`,
    );
  }
  return { config: readClusterFile(clusterPaths(folders).config), supervisor, initPid: init.pid };
}
