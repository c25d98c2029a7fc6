/** Monitors and containers as the kernel knows them: process ids and signals. */
import { readdirSync, readFileSync, statSync } from "node:fs";
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

/**
 * All that work for one container: those that name it in their command line (crun, conmon, and what crun has begun to
 * turn into the container), and those whose root is `rootPath`.
 */
export function processesOf(id: string, rootPath: string): readonly number[] {
  const root = fileOf(rootPath);
  return readdirSync("/proc").flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    if (commandLine(pid).includes(id)) return [pid];
    return root !== undefined && fileOf(`/proc/${pid}/root`) === root ? [pid] : [];
  });
}

/** Empty for one that has ended. */
function commandLine(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

function fileOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
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
