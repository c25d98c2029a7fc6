/** Room on the machine: disk, memory, ports, limits. */
import type { Check } from "../check.ts";
import { fail, ok, warning } from "../finding.ts";
import { nearestFolder } from "../machine.ts";

const megabyte = 1024 * 1024;
const megabytes = (bytes: number): string =>
  bytes >= 1024 * megabyte ? `${(bytes / 1024 / megabyte).toFixed(1)} GB` : `${Math.round(bytes / megabyte)} MB`;

const cgroups: Check = {
  name: "cgroups",
  examine: ({ machine }) => {
    const note = "netloom limits nothing by cgroups, so any will do";
    if (machine.exists("/sys/fs/cgroup/cgroup.controllers")) return ok(`version 2; ${note}`);
    if (machine.exists("/sys/fs/cgroup/unified")) return ok(`versions 1 and 2 side by side; ${note}`);
    if (machine.exists("/sys/fs/cgroup/memory")) return ok(`version 1; ${note}`);
    return ok(`none mounted; ${note}`);
  },
};

const apiPort: Check = {
  name: "API port",
  examine: async ({ machine }) => {
    const error = await machine.listenError("127.0.0.1", 6443);
    return ok(
      error === undefined ? "127.0.0.1:6443 is free" : "127.0.0.1:6443 is busy; a cluster takes the next free one",
    );
  },
};

const loopback: Check = {
  name: "loopback network",
  examine: async ({ machine }) => {
    const error = await machine.listenError("127.249.0.1", 0);
    if (error === undefined) return ok("all of 127.0.0.0/8 is this machine");
    return fail(
      `nothing can listen on 127.249.0.1 (${error})`,
      "give the loopback link its whole network: sudo ip address add 127.0.0.1/8 dev lo; sudo ip link set lo up",
    );
  },
};

const disk: Check = {
  name: "disk",
  examine: ({ machine, folders }) => {
    const { freeBytes, freeInodes, isReadOnly } = machine.disk(folders.stateRoot);
    const detail = `${megabytes(freeBytes)} free for ${folders.stateRoot}`;
    const elsewhere = "set XDG_STATE_HOME to a folder on another disk";
    if (isReadOnly) return fail(`${folders.stateRoot} is on a read-only file system`, elsewhere);
    if (freeBytes < 100 * megabyte) return fail(detail, `free some space, or ${elsewhere}`);
    if (freeInodes < 10_000) return fail(`${detail}, but only ${freeInodes} inodes`, `remove files, or ${elsewhere}`);
    if (freeBytes < 1024 * megabyte) return warning(detail, `a cluster may fill it with logs; ${elsewhere}`);
    return ok(detail);
  },
};

/** sockaddr_un holds 107 bytes and a zero. */
const longestSocketPath = 107;
const longestTail = "/a-cluster-name-of-thirty-bytes/holder.sock".length;

const runFolder: Check = {
  name: "run folder",
  examine: ({ machine, folders }) => {
    const folder = folders.runRoot;
    if (folder.length + longestTail > longestSocketPath) {
      return fail(`${folder} is too long a path for sockets`, "set XDG_RUNTIME_DIR to a folder with a shorter path");
    }
    if (machine.disk(folder).isReadOnly)
      return fail(`${folder} is on a read-only file system`, "set XDG_RUNTIME_DIR to a folder elsewhere");
    return ok(nearestFolder(folder) === folder ? folder : `${folder}, to be made`);
  },
};

const memory: Check = {
  name: "memory",
  examine: ({ machine }) => {
    const available = /^MemAvailable:\s+(\d+) kB/m.exec(machine.read("/proc/meminfo") ?? "")?.[1];
    const bytes = available === undefined ? machine.freeMemoryBytes() : Number(available) * 1024;
    return bytes < 512 * megabyte
      ? warning(`${megabytes(bytes)} available`, "a cluster of three nodes takes about 300 MB: end other programs")
      : ok(`${megabytes(bytes)} available`);
  },
};

/** `path` below /proc/sys, its least value, and what runs short below it. */
function limit(name: string, path: string, least: number, use: string): Check {
  const key = path.replaceAll("/", ".");
  return {
    name,
    examine: ({ machine }) => {
      const text = machine.read(`/proc/sys/${path}`);
      if (text === undefined) return undefined;
      return Number(text) < least
        ? warning(`${key} is ${text}`, `${use}: sudo sysctl ${key}=${least * 4}`)
        : ok(`${key} is ${text}`);
    },
  };
}

const openFiles: Check = {
  name: "open files",
  examine: ({ machine }) => {
    const [, soft = "0", hard = "0"] =
      /^Max open files\s+(\d+|unlimited)\s+(\d+|unlimited)/m.exec(machine.read("/proc/self/limits") ?? "") ?? [];
    const most = hard === "unlimited" ? Number.POSITIVE_INFINITY : Number(hard);
    const detail = `a process may have ${soft} open, ${hard} where it asks`;
    return most < 4096 ? warning(detail, "a few hundred pods need more: raise it with ulimit -Hn 65536") : ok(detail);
  },
};

export const machineChecks: readonly Check[] = [
  cgroups,
  apiPort,
  loopback,
  disk,
  runFolder,
  memory,
  openFiles,
  limit("inotify instances", "fs/inotify/max_user_instances", 128, "programs in pods watch files"),
  limit("inotify watches", "fs/inotify/max_user_watches", 8192, "programs in pods watch files"),
  limit("network namespaces", "user/max_net_namespaces", 512, "every pod and node has one"),
  limit("mount namespaces", "user/max_mnt_namespaces", 512, "every container has one"),
  limit("process ids", "kernel/pid_max", 32_768, "containers of all pods share them"),
];
