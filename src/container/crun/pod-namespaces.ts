/** The UTS and IPC namespaces that the containers of one pod share, each kept alive by a bind mount. */
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  isNamespaceFile,
  mount,
  mountFlags,
  namespaceFlags,
  setns,
  unmountAll,
  unshare,
} from "../../machinery/libc/index.ts";

const types = ["uts", "ipc"] as const;

export interface PodNamespaces {
  readonly uts: string;
  readonly ipc: string;
}

/**
 * The thread's own UTS and IPC namespaces must be the cluster's: a rootless thread could not go back to the host's.
 * Called once, before the first pod.
 */
export function leaveHostNamespaces(): void {
  unshare(namespaceFlags.uts | namespaceFlags.ipc);
}

/** Makes them where one is missing; `folder` is the pod's. Returns to the thread's own namespaces. */
export function pinPodNamespaces(folder: string): PodNamespaces {
  const paths: PodNamespaces = { uts: join(folder, "uts"), ipc: join(folder, "ipc") };
  if (types.every((type) => isNamespaceFile(paths[type]))) return paths;
  // Half of them: whoever made them was killed, and no container has them yet.
  unpinPodNamespaces(folder);
  mkdirSync(folder, { recursive: true });
  const homes = types.map((type) => openSync(`/proc/thread-self/ns/${type}`, "r"));
  try {
    unshare(namespaceFlags.uts | namespaceFlags.ipc);
    for (const type of types) {
      writeFileSync(paths[type], "");
      mount({ source: `/proc/thread-self/ns/${type}`, target: paths[type], flags: mountFlags.bind });
    }
  } finally {
    homes.forEach((fd, index) => {
      setns(fd, namespaceFlags[types[index] ?? "uts"]);
      closeSync(fd);
    });
  }
  return paths;
}

/** Harmless when half of them, or none, are there. */
export function unpinPodNamespaces(folder: string): void {
  for (const type of types) unmountAll(join(folder, type));
  rmSync(folder, { recursive: true, force: true });
}
