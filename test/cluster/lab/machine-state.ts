/** What a cluster could leave behind on the machine, to be compared before and after. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface MachineState {
  /** Command lines of processes that mention the lab's folder. */
  readonly processes: readonly string[];
  /** Mount points that mention it. */
  readonly mounts: readonly string[];
  /** The machine's own network interfaces, routes and netfilter tables. */
  readonly interfaces: readonly string[];
  readonly routes: readonly string[];
  /** Those named like ours or like a container. */
  readonly cgroups: readonly string[];
  /** Files in the lab's folder. */
  readonly files: readonly string[];
}

export function machineState(folder: string): MachineState {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const read = (path: string): string => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      // The process ended while we looked, or it is another user's.
      return "";
    }
  };
  return {
    processes: pids
      .filter((pid) => Number(pid) !== process.pid)
      .map((pid) => read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim())
      .filter((line) => line.includes(folder)),
    mounts: read("/proc/mounts")
      .split("\n")
      .filter((line) => line.includes(folder)),
    interfaces: read("/proc/net/dev")
      .split("\n")
      .slice(2)
      .map((line) => line.split(":")[0]?.trim() ?? "")
      .filter((name) => name !== ""),
    routes: read("/proc/net/route").split("\n").slice(1).filter(Boolean),
    // Those that other tests make for themselves apart.
    cgroups: listFolders("/sys/fs/cgroup", 3).filter(
      (path) => /netloom|conmon|crun|[0-9a-f]{64}/.test(path) && !/\/netloom-test-\d+$/.test(path),
    ),
    files: existsSync(folder) ? (readdirSync(folder, { recursive: true }) as string[]).toSorted() : [],
  };
}

function listFolders(path: string, depth: number): readonly string[] {
  if (depth === 0 || !existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => [join(path, entry.name), ...listFolders(join(path, entry.name), depth - 1)])
    .toSorted();
}
