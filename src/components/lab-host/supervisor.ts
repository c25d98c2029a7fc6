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
 *
 * Until the cluster has started, its life hangs on the command that starts it, too: that holds the other end of the
 * supervisor's stdin. The supervisor does nothing before it is told that its file is written, so no process runs that
 * `down` would not find; the holder ends when that end is closed before it was told that all went well.
 */
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterConfig } from "../../model/cluster-config.ts";
import { clusterPaths } from "../../model/cluster-config.ts";
import { findTool } from "../../machinery/tools.ts";
import type { Clock } from "../../machinery/clock.ts";
import type { ClusterUsers } from "./cluster-users.ts";
import { childrenOf, identify, isAlive, type ProcessIdentity } from "./process-table.ts";
import { isMarkedStarting } from "./starting.ts";
import { startedWord } from "./launcher.ts";
import { userNamespaceFlags } from "./user-namespace.ts";

const supervisorFile = (runDir: string): string => join(runDir, "supervisor.json");

/** How netloom starts itself again: Node and the entry file. */
export interface SelfCommand {
  readonly node: string;
  readonly entry: string;
}

/**
 * As upstream's kubelet: when memory runs out, the kernel is to kill pods before what keeps them. Only root may ask for that;
 * without root pods have a higher score than other processes, and the cluster's own have the usual one.
 */
const ownOomScoreAdj = -999;

/**
 * The supervisor's script. `$0` is Node, `$1` the entry, `$2` the configuration file, `$3` tini, `$4` the user
 * namespace's flags. Standard streams go to the holder's log.
 */
const script = `read -r go || exit
{ echo ${ownOomScoreAdj} >/proc/self/oom_score_adj; } 2>/dev/null
setpriv --pdeathsig KILL -- unshare $4 --mount --pid --fork --kill-child --mount-proc --propagation private -- "$3" -s -- "$0" "$1" holder "$2"
status=$?
exec "$0" "$1" clean-up "$2" "$status"
`;

/** The processes of a cluster that this process starts. */
export interface Launch {
  readonly supervisor: ProcessIdentity;
  /**
   * From now on the cluster lives on without this process. Resolves when the holder has taken note of that; rejects with
   * `LaunchError` where the holder ended before.
   */
  confirm(clock: Clock): Promise<void>;
}

class LaunchError extends Error {
  readonly code = "LaunchFailed";
}

/**
 * Starts the cluster's processes, which end with this one until `confirm`. Returns at once; progress comes over the
 * holder's socket.
 */
export function startSupervisor(config: ClusterConfig, self: SelfCommand, users: ClusterUsers): Launch {
  const tini = findTool("tini", config.toolsDir);
  const paths = clusterPaths(config);
  const log = openSync(join(paths.logs, "holder.log"), "a", 0o600);
  const userNamespace = userNamespaceFlags(users).join(" ");
  const child = spawn("/bin/sh", ["-c", script, self.node, self.entry, paths.config, tini.path, userNamespace], {
    detached: true,
    stdio: ["pipe", log, log],
    cwd: "/",
    env: { ...process.env, ...tini.env },
  });
  closeSync(log);
  child.unref();
  // A process that has ended does not listen: its end is noticed otherwise.
  const { stdin } = child;
  stdin?.on("error", () => undefined);
  const supervisor = child.pid === undefined ? undefined : identify(child.pid);
  if (supervisor === undefined || stdin === null)
    throw new Error(`Cannot start /bin/sh for the cluster "${config.name}"`);
  writeFileSync(supervisorFile(config.runDir), JSON.stringify(supervisor), { mode: 0o600 });
  stdin.write("go\n");
  return {
    supervisor,
    confirm: async (clock) => {
      stdin.end(`${startedWord}\n`);
      while (isMarkedStarting(config.runDir)) {
        if (findInit(supervisor) === undefined) {
          throw new LaunchError(`The cluster "${config.name}" ended while it started`);
        }
        await clock.sleep(1);
      }
    },
  };
}

/** Whether the supervisor of the last start is on record, alive or not. */
export const hasSupervisorFile = (runDir: string): boolean => existsSync(supervisorFile(runDir));

/** The living supervisor of the cluster whose run folder this is, or undefined. */
export function findSupervisor(runDir: string): ProcessIdentity | undefined {
  let text: string;
  try {
    text = readFileSync(supervisorFile(runDir), "utf8");
  } catch {
    return undefined;
  }
  const parsed = parseOrNothing(text);
  if (typeof parsed !== "object" || parsed === null || !("pid" in parsed) || !("startTicks" in parsed))
    return undefined;
  const identity = { pid: Number(parsed.pid), startTicks: Number(parsed.startTicks) };
  return isAlive(identity) ? identity : undefined;
}

/** Undefined of a file whose writer was killed in the middle of it. */
function parseOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
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
 * Ends a cluster in order: its parts are asked to end, and the last writes reach the disk. Whoever has not ended after
 * `graceMs` is killed, and so is the supervisor: its clean-up would wait for the lock that the caller holds, and what it does
 * the caller does. Resolves when all of them are gone.
 */
export async function stopProcesses(
  supervisor: ProcessIdentity,
  { clock, graceMs }: { readonly clock: Clock; readonly graceMs: number },
): Promise<void> {
  const all = processesOf(supervisor);
  const init = findInit(supervisor);
  if (init !== undefined) send(init, "SIGTERM");
  const deadline = clock.now() + (init === undefined ? 0 : graceMs);
  const parts = all.filter((process) => process !== supervisor);
  while (parts.some(isAlive) && clock.now() < deadline) await clock.sleep(5);
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
