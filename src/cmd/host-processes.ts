/** The cluster's processes as the host sees them: ids outside the PID namespace, memory. */
import { readFileSync } from "node:fs";

export interface HostProcess {
  /** In the cluster's PID namespace. */
  readonly innerPid: number;
  readonly pid: number;
  /** Its proportional share of memory; where that may not be read, all of its resident memory. */
  readonly memoryBytes: number;
}

/** The init and everything below it; a process that ends meanwhile is left out. */
export function hostProcesses(initPid: number): readonly HostProcess[] {
  const found: HostProcess[] = [];
  const waiting = [initPid];
  for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
    const status = read(`/proc/${pid}/status`);
    const innerPid = Number(/^NSpid:.*\s(\d+)$/m.exec(status)?.[1]);
    if (Number.isInteger(innerPid)) found.push({ pid, innerPid, memoryBytes: memoryOf(pid, status) });
    waiting.push(...childrenOf(pid));
  }
  return found;
}

/** Only of the main thread: enough for processes of ours, which start others from there. */
const childrenOf = (pid: number): readonly number[] =>
  read(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);

function memoryOf(pid: number, status: string): number {
  const share = /^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1];
  return Number(share ?? /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // It ended, or the kernel keeps it from us.
    return "";
  }
}
