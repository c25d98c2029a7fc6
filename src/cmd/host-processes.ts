/** The cluster's processes as the host sees them: ids outside the PID namespace, memory. */
import { readFileSync } from "node:fs";
import { uptime } from "node:os";

export interface HostProcess {
  /** In the cluster's PID namespace; NaN where it has ended. */
  readonly innerPid: number;
  readonly pid: number;
  /** Its proportional share of memory; where that may not be read, all of its resident memory. */
  readonly memoryBytes: number;
}

/** The init and everything below it, parents first; a process that ends meanwhile is left out. */
export function hostProcesses(initPid: number): readonly HostProcess[] {
  const found: HostProcess[] = [];
  const waiting = [initPid];
  // What is added while it runs is come to, too.
  for (const pid of waiting) {
    const memoryBytes = memoryOf(pid);
    if (memoryBytes === undefined) continue;
    found.push({
      pid,
      memoryBytes,
      // Asked of few: with every pod come two more processes, and each file of /proc takes its time.
      get innerPid() {
        return Number(/^NSpid:.*\s(\d+)$/m.exec(read(`/proc/${pid}/status`))?.[1]);
      },
    });
    waiting.push(...childrenOf(pid));
  }
  return found;
}

/** Only of the main thread: enough for processes of ours, which start others from there. */
const childrenOf = (pid: number): readonly number[] =>
  read(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);

/** USER_HZ, in which /proc counts on every platform of ours. */
const ticksPerSecond = 100;

/** When the process was started, to a hundredth of a second, by the clock as it is set now; undefined where it has ended. */
export function startOf(pid: number): Date | undefined {
  const stat = read(`/proc/${pid}/stat`);
  // proc_pid_stat(5)'s field 22, since the boot; the name before it may hold spaces and parentheses.
  const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
  if (stat === "" || Number.isNaN(ticks)) return undefined;
  return new Date(Date.now() - (uptime() - ticks / ticksPerSecond) * 1000);
}

/** As `HostProcess.memoryBytes`; undefined where it has ended. */
export function memoryOf(pid: number): number | undefined {
  const kilobytes =
    /^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`)) ??
    /^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`));
  return kilobytes === null ? undefined : Number(kilobytes[1]) * 1024;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // It ended, or the kernel keeps it from us.
    return "";
  }
}
