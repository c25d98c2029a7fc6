/** How a cluster ended last: kept in its state folder, for `netloom list` to tell, until it runs again. */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";

export interface LastEnd {
  /** `stopped`: it was asked to. `failed`: by an error of its own. `killed`: the holder, or the init, by a signal. */
  readonly how: "stopped" | "failed" | "killed";
  /** "SIGKILL"; where it was killed, and the signal is known. */
  readonly signal?: string;
  /** RFC 3339. */
  readonly at: string;
}

const endFile = (stateDir: string): string => join(stateDir, "ended.json");

/** With what a holder ends that cannot go on (EX_SOFTWARE), to be told from what unshare(1) says itself. */
export const failedStatus = 70;

/** From here on a shell's exit status names the signal. */
const killedStatus = 128;

/** `status` is the shell's: of the holder, or of what ended it. */
export function endOfStatus(status: number, now: Date): LastEnd {
  const at = now.toISOString();
  if (status === 0) return { how: "stopped", at };
  if (status === failedStatus) return { how: "failed", at };
  // unshare(1) would end by the signal that ended the init, but 2.38 fails at that.
  if (status < killedStatus) return { how: "killed", at };
  const signal = Object.entries(constants.signals).find(([, number]) => number === status - killedStatus)?.[0];
  return { how: "killed", signal: signal ?? `signal ${status - killedStatus}`, at };
}

export function recordEnd(stateDir: string, end: LastEnd): void {
  const path = endFile(stateDir);
  writeFileSync(`${path}.new`, `${JSON.stringify(end)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Undefined where nobody could write it down: the supervisor was killed, or the machine crashed. */
export function readEnd(stateDir: string): LastEnd | undefined {
  try {
    const end = JSON.parse(readFileSync(endFile(stateDir), "utf8")) as LastEnd;
    return ["stopped", "failed", "killed"].includes(end.how) && !Number.isNaN(Date.parse(end.at)) ? end : undefined;
  } catch {
    return undefined;
  }
}

export function forgetEnd(stateDir: string): void {
  rmSync(endFile(stateDir), { force: true });
}
