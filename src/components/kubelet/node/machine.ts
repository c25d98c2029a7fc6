/** What the machine is: the facts a Node reports of itself. */
import { readFileSync, statfsSync } from "node:fs";
import { arch, availableParallelism, freemem, release, totalmem } from "node:os";

export interface Machine {
  readonly architecture: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly kernelVersion: string;
  readonly osImage: string;
  readonly machineId: string;
  readonly bootId: string;
}

export interface Pressure {
  readonly memory: boolean;
  readonly disk: boolean;
  readonly pids: boolean;
}

const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/** @param diskPath - A path on the disk that pods write to. @param bootId - Where the node boots apart from the machine. */
export function readMachine(diskPath: string, bootId?: string): Machine {
  const osRelease = read("/etc/os-release");
  return {
    architecture: architectures[arch()] ?? arch(),
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    diskBytes: disk(diskPath).bytes,
    kernelVersion: release(),
    osImage: /^PRETTY_NAME="?(.*?)"?$/m.exec(osRelease)?.[1] ?? "Linux",
    machineId: read("/etc/machine-id").trim(),
    bootId: bootId ?? read("/proc/sys/kernel/random/boot_id").trim(),
  };
}

/** Below these the node says so. Memory as upstream; of the disk an amount, because a tenth of a large one is no pressure. */
const leastMemoryBytes = 100 * 1024 ** 2;
const leastDiskBytes = 100 * 1024 ** 2;
const leastPids = 200;

export function readPressure(diskPath: string): Pressure {
  const threads = Number(/^\S+ \S+ \S+ \d+\/(\d+)/.exec(read("/proc/loadavg"))?.[1] ?? "0");
  const mostPids = Number(read("/proc/sys/kernel/pid_max").trim() || "32768");
  return {
    memory: freemem() < leastMemoryBytes,
    disk: disk(diskPath).freeBytes < leastDiskBytes,
    pids: mostPids - threads < leastPids,
  };
}

function disk(path: string): { readonly bytes: number; readonly freeBytes: number } {
  try {
    const { blocks, bavail, bsize } = statfsSync(path);
    return { bytes: blocks * bsize, freeBytes: bavail * bsize };
  } catch {
    // The folder may not be there yet; without it nothing can be said to be short.
    return { bytes: 0, freeBytes: Number.MAX_SAFE_INTEGER };
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
