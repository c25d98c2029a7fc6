/** Removes what a cluster leaves on the host once its processes are gone. */
import {
  chmodSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  rmdirSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { KubeconfigError, removeContext } from "./kubeconfig-file.ts";
import { markUnfinished } from "./starting.ts";

/** What `up` did outside the cluster's own folders, written down before it did it. */
export interface HostTraces {
  readonly kubeconfig: string;
  readonly context: string;
  /** The context that was current before; absent where there was none. */
  readonly previousContext?: string;
}

const tracesFile = (stateDir: string): string => join(stateDir, "host-traces.json");

export function recordTraces(stateDir: string, traces: HostTraces): void {
  const path = tracesFile(stateDir);
  writeFileSync(`${path}.new`, JSON.stringify(traces), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

export function readTraces(stateDir: string): HostTraces | undefined {
  try {
    return JSON.parse(readFileSync(tracesFile(stateDir), "utf8")) as HostTraces;
  } catch {
    // Absent before `up` came that far; unreadable when the folder is damaged: then there is nothing to go by.
    return undefined;
  }
}

/** What a stopped cluster does not need: sockets and the mount point. Its state and the kubeconfig entry stay. */
export function removeRunFolder(folders: { readonly runDir: string }): void {
  removeTree(folders.runDir);
}

/** The context of a cluster that is gone for now; its next start puts it there again. */
export function withdrawContext({ stateDir }: { readonly stateDir: string }): void {
  const traces = readTraces(stateDir);
  if (traces !== undefined) removeContext(traces.kubeconfig, traces.context, traces.previousContext);
}

/** Harmless when repeated or when parts are missing already; killed in the middle, it leaves what `isUnfinished` tells. */
export function removeTraces(folders: { readonly stateDir: string; readonly runDir: string }): void {
  const traces = readTraces(folders.stateDir);
  let refusal: Error | undefined;
  try {
    withdrawContext(folders);
  } catch (error) {
    // A kubeconfig that cannot be edited must not keep the rest from being removed, for ever.
    refusal = error as Error;
  }
  removeTree(folders.runDir);
  try {
    markUnfinished(folders.stateDir);
  } catch {
    // There is no such folder, or no space in it.
  }
  removeTree(folders.stateDir);
  if (refusal === undefined) return;
  throw new KubeconfigError(
    `The cluster is gone, but its context may be left in "${traces?.kubeconfig}": ${refusal.message.replace(/; [^;]*--kubeconfig$/, "")}; take it out with "kubectl config delete-context ${traces?.context}"`,
    { cause: refusal },
  );
}

/**
 * `rm -rf` that also opens folders without permissions (overlayfs leaves its work folder at mode 000), and removes what
 * belongs to the further users of a user namespace (a server's cache): only inside of one are those ours.
 */
export function removeTree(path: string): void {
  for (const remove of [removePlainly, removeOpening]) {
    try {
      remove(path);
      return;
    } catch (error) {
      if (!["EACCES", "EPERM", "ENOTEMPTY"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
  }
  const flags = ["--user", "--map-root-user"];
  // Tried without the ids first: with them unshare waits for its helper for ever where the kernel refuses the namespace.
  const trial = spawnSync("unshare", [...flags, "true"], { encoding: "utf8" });
  const command = [...flags, "--map-auto", "rm", "-rf", "--", path];
  const removal = trial.status === 0 ? spawnSync("unshare", command, { encoding: "utf8" }) : trial;
  if (removal.status === 0) return;
  throw new Error(`Cannot remove "${path}": ${removal.error?.message ?? removal.stderr.trim()}; remove it as root`);
}

const removePlainly = (path: string): void => rmSync(path, { recursive: true, force: true });

function removeOpening(path: string): void {
  if (!lstatSync(path).isDirectory()) {
    unlinkSync(path);
    return;
  }
  chmodSync(path, 0o700);
  for (const name of readdirSync(path)) removeOpening(join(path, name));
  rmdirSync(path);
}
