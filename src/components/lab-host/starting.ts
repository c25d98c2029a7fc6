/**
 * Signs that a cluster is being made or started. One in the run folder says which command is at it. One in the state folder
 * says that the cluster has never been whole: what it has is of no use to anybody, and whoever finds it removes it.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { forgetEnd } from "./last-end.ts";
import { identify, isAlive, type ProcessIdentity } from "./process-table.ts";

const startingFile = (runDir: string): string => join(runDir, "starting.json");
const unfinishedFile = (stateDir: string): string => join(stateDir, "unfinished");

export function markStarting(runDir: string): void {
  writeFileSync(startingFile(runDir), JSON.stringify(identify(process.pid)), { mode: 0o600 });
}

/** The first file in a new state folder, and the last but this in one that is being removed. */
export function markUnfinished(stateDir: string): void {
  writeFileSync(unfinishedFile(stateDir), "", { mode: 0o600 });
}

/** The cluster is whole: its state is kept from now on. Called by the holder, in whose hands it is from then. */
export function markStarted({ stateDir, runDir }: { readonly stateDir: string; readonly runDir: string }): void {
  rmSync(unfinishedFile(stateDir), { force: true });
  forgetEnd(stateDir);
  rmSync(startingFile(runDir), { force: true });
}

/** Also where the command that marked it was killed. */
export const isMarkedStarting = (runDir: string): boolean => existsSync(startingFile(runDir));

/** Whether the command that marked it still lives. */
export function isStarting(runDir: string): boolean {
  try {
    return isAlive(JSON.parse(readFileSync(startingFile(runDir), "utf8")) as ProcessIdentity);
  } catch {
    return false;
  }
}

/** Of a cluster that was never whole, or is half removed. False where there is no folder. */
export function isUnfinished(stateDir: string): boolean {
  return existsSync(unfinishedFile(stateDir)) || (existsSync(stateDir) && readdirSync(stateDir).length === 0);
}
