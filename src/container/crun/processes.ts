/** Monitors and containers as the kernel knows them: process ids and signals. */
import { readFileSync } from "node:fs";
import { constants } from "node:os";

/** The number may have been used again. */
export function isMonitor(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "conmon";
  } catch {
    return false;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export function readPid(path: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(path, "utf8"), 10);
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** As an image says it: "SIGTERM", "TERM", "15", "SIGRTMIN+3". */
export function signalNumber(text: string): number {
  const name = text.toUpperCase().replace(/^(?!SIG|\d)/, "SIG");
  const realTime = /^SIGRTMIN\+(\d+)$/.exec(name);
  if (realTime) return 34 + Number(realTime[1]);
  if (/^\d+$/.test(name)) return Number(name);
  return (constants.signals as Readonly<Record<string, number>>)[name] ?? constants.signals.SIGTERM;
}
