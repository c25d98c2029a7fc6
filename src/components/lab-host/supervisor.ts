/**
 * Starts, finds and ends the processes on which a cluster hangs:
 *
 *     sh (supervisor)            outlives the cluster, and then cleans up after it
 *     └─ unshare                 made the user (when not root), mount and PID namespaces
 *        └─ tini = PID 1         the cluster's init: when it ends, the kernel ends everything in it
 *           └─ node holder       starts server and agents, restarts them
 *
 * Whoever of them is killed, the kernel kills the rest of the PID namespace, its mounts and network namespaces vanish
 * with their last user, and the supervisor runs `clean-up`. A killed supervisor takes them with it, and what lies on disk
 * stays, as after a crash of the machine.
 */
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterConfig } from "../../model/cluster-config.ts";
import { clusterPaths } from "../../model/cluster-config.ts";
import { findTool } from "../../machinery/tools.ts";
import type { Clock } from "../../machinery/clock.ts";
import type { ClusterUsers } from "./cluster-users.ts";
import { childrenOf, identify, isAlive, type ProcessIdentity } from "./process-table.ts";
import { userNamespaceFlags } from "./user-namespace.ts";

const supervisorFile = (runDir: string): string => join(runDir, "supervisor.json");

/** How netloom starts itself again: Node and the entry file. */
export interface SelfCommand {
  readonly node: string;
  readonly entry: string;
}

/**
 * The supervisor's script. `$0` is Node, `$1` the entry, `$2` the configuration file, `$3` tini, `$4` the user
 * namespace's flags. Standard streams go to the holder's log.
 */
const script = `setpriv --pdeathsig KILL -- unshare $4 --mount --pid --fork --kill-child --mount-proc --propagation private -- "$3" -s -- "$0" "$1" holder "$2"
status=$?
exec "$0" "$1" clean-up "$2" "$status"
`;

/** Starts the cluster's processes detached from this one. Returns at once; progress comes over the holder's socket. */
export function startSupervisor(config: ClusterConfig, self: SelfCommand, users: ClusterUsers): ProcessIdentity {
  const tini = findTool("tini", config.toolsDir);
  const paths = clusterPaths(config);
  const log = openSync(join(paths.logs, "holder.log"), "a", 0o600);
  const userNamespace = userNamespaceFlags(users).join(" ");
  const child = spawn("/bin/sh", ["-c", script, self.node, self.entry, paths.config, tini.path, userNamespace], {
    detached: true,
    stdio: ["ignore", log, log],
    cwd: "/",
    env: { ...process.env, ...tini.env },
  });
  closeSync(log);
  child.unref();
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (identity === undefined) throw new Error(`Cannot start /bin/sh for the cluster "${config.name}"`);
  writeFileSync(supervisorFile(config.runDir), JSON.stringify(identity), { mode: 0o600 });
  return identity;
}

/** The living supervisor of the cluster whose run folder this is, or undefined. */
export function findSupervisor(runDir: string): ProcessIdentity | undefined {
  let text: string;
  try {
    text = readFileSync(supervisorFile(runDir), "utf8");
  } catch {
    return undefined;
  }
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== "object" || parsed === null || !("pid" in parsed) || !("startTicks" in parsed))
    return undefined;
  const identity = { pid: Number(parsed.pid), startTicks: Number(parsed.startTicks) };
  return isAlive(identity) ? identity : undefined;
}

/** The cluster's init as the host sees it: the process whose namespaces commands enter. Undefined while starting. */
export function findInit(supervisor: ProcessIdentity): ProcessIdentity | undefined {
  for (const unshare of childrenOf(supervisor.pid)) {
    for (const init of childrenOf(unshare)) return identify(init);
  }
  return undefined;
}

/**
 * Ends a cluster's processes, all at once and whatever state they are in: first the supervisor, so that it does not
 * clean up meanwhile, then the init, with which the kernel ends the rest. Resolves when all of them are gone.
 */
export async function endProcesses(supervisor: ProcessIdentity, clock: Clock): Promise<void> {
  const all = processesOf(supervisor);
  for (const process of all) send(process, "SIGKILL");
  while (all.some(isAlive)) await clock.sleep(5);
}

/**
 * Ends a cluster in order: its parts are asked to end, the last writes reach the disk, and the supervisor sees that it was
 * meant. Whoever has not ended after `graceMs` is killed. Resolves when all of them are gone.
 */
export async function stopProcesses(
  supervisor: ProcessIdentity,
  { clock, graceMs }: { readonly clock: Clock; readonly graceMs: number },
): Promise<void> {
  const all = processesOf(supervisor);
  const init = findInit(supervisor);
  if (init !== undefined) send(init, "SIGTERM");
  const deadline = clock.now() + (init === undefined ? 0 : graceMs);
  while (all.some(isAlive) && clock.now() < deadline) await clock.sleep(5);
  for (const process of all) send(process, "SIGKILL");
  while (all.some(isAlive)) await clock.sleep(5);
}

function processesOf(supervisor: ProcessIdentity): readonly ProcessIdentity[] {
  const unshares = childrenOf(supervisor.pid).map(identify);
  const inits = unshares.flatMap((unshare) => (unshare ? childrenOf(unshare.pid).map(identify) : []));
  return [supervisor, ...inits, ...unshares].filter((process) => process !== undefined);
}

function send(target: ProcessIdentity, signal: NodeJS.Signals): void {
  try {
    if (isAlive(target)) process.kill(target.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
