/** The sign that a `netloom up` is at work on a cluster, and with it the duty to clean up after a failed start. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { identify, isAlive, type ProcessIdentity } from "./process-table.ts";

const startingFile = (runDir: string): string => join(runDir, "starting.json");

export function markStarting(runDir: string): void {
  writeFileSync(startingFile(runDir), JSON.stringify(identify(process.pid)), { mode: 0o600 });
}

export function markStarted(runDir: string): void {
  rmSync(startingFile(runDir), { force: true });
}

/** Whether the `netloom up` that marked it still lives. */
export function isStarting(runDir: string): boolean {
  try {
    return isAlive(JSON.parse(readFileSync(startingFile(runDir), "utf8")) as ProcessIdentity);
  } catch {
    return false;
  }
}
