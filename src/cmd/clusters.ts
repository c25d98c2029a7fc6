/** Finds clusters of this user by name. */
import { existsSync, lstatSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import {
  checkFolderOwner,
  findInit,
  findSupervisor,
  hostFolders,
  isUnfinished,
  knownClusters,
  type LastEnd,
  type LockedCommand,
  readEnd,
  withClusterLock,
} from "../components/lab-host/index.ts";
import { systemClock } from "../machinery/clock.ts";
import { clusterPaths, type ClusterConfig } from "../model/cluster-config.ts";
import { clusterDefaults, clusterNameMistake, isClusterName } from "../model/cluster-plan/index.ts";
import { readClusterFile } from "./cluster-file.ts";

/** A mistake of the user's; shown without a stack, exit code 1. */
export class CommandError extends Error {
  readonly code = "CommandRefused";
}

/** Ends a message about a cluster that there is not. */
export const noCluster = '"netloom list" shows those there are';

/** What to add to a command that is to be about this cluster. */
export const named = (name: string): string => (name === clusterDefaults.name ? "" : ` --name ${name}`);

/** Throws `CommandError` for what cannot be a name: folders of clusters are removed, and "../.." would be one. */
export function clusterFolders(name: string) {
  if (!isClusterName(name)) throw new CommandError(clusterNameMistake(name));
  const { stateRoot, runRoot, toolsDir } = hostFolders();
  const stateDir = join(stateRoot, name);
  return { stateDir, runDir: runningFolder(stateDir, name) ?? join(runRoot, name), toolsDir };
}

/**
 * The run folder the cluster runs in, as its state folder says; undefined where it does not run. A login has an
 * XDG_RUNTIME_DIR, cron and `su` have none: both mean the same cluster, and must not start it twice. Root follows only to a
 * folder of the cluster's owner, since it may remove it.
 */
function runningFolder(stateDir: string, name: string): string | undefined {
  const path = clusterPaths({ stateDir, runDir: "" }).config;
  if (!existsSync(path)) return undefined;
  try {
    const { runDir } = readClusterFile(path);
    if (basename(runDir) !== name || findSupervisor(runDir) === undefined) return undefined;
    return lstatSync(runDir).uid === lstatSync(stateDir).uid ? runDir : undefined;
  } catch {
    // What is wrong with the file is said by the command that needs it.
    return undefined;
  }
}

/** "killed by SIGKILL". */
export const endText = ({ how, signal }: Pick<LastEnd, "how" | "signal">): string =>
  signal === undefined ? how : `${how} by ${signal}`;

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
    const end = readEnd(folders.stateDir);
    const why = end === undefined || end.how === "stopped" ? "" : ` (it ended at ${end.at}: ${endText(end)})`;
    const isWhole = existsSync(folders.stateDir) && !isUnfinished(folders.stateDir);
    const others = knownClusters(hostFolders()).filter((other) => other !== name);
    throw new CommandError(
      `There is no running cluster "${name}"${why}: start it with "netloom ${isWhole ? "start" : "up"}${named(name)}"${others.length === 0 ? "" : `, or choose one of ${others.join(", ")} with --name`}`,
    );
  }
  return { config: readClusterFile(clusterPaths(folders).config), supervisor, initPid: init.pid };
}

/**
 * While no other command makes, starts, stops or removes the cluster. Rejects with `ClusterBusyError` where one does for
 * long, and where the cluster is somebody else's; root may end anybody's.
 */
export async function exclusively<T>(
  { name, command, signal }: { readonly name: string; readonly command: LockedCommand; readonly signal: AbortSignal },
  work: () => Promise<T>,
): Promise<T> {
  const { stateDir, runDir } = clusterFolders(name);
  const isEnd = command === "down" || command === "stop";
  if (!(isEnd && process.getuid?.() === 0)) checkFolderOwner(name, stateDir);
  return await withClusterLock({ runRoot: dirname(runDir), name, command, signal, clock: systemClock }, work);
}
