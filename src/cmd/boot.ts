/** Starts the processes of a cluster whose configuration lies in its state folder, and waits until it serves. */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import {
  agreeOnUsers,
  currentContext,
  endProcesses,
  findSupervisor,
  kubeconfigPath,
  makePrivateFolder,
  markLayout,
  markStarting,
  markUnfinished,
  mergeContext,
  presentUsers,
  type Progress,
  readTraces,
  readUsers,
  recordTraces,
  recordUsers,
  startSupervisor,
} from "../components/lab-host/index.ts";
import { systemClock } from "../machinery/clock.ts";
import { type ClusterProgress, ControlError, followProgress } from "../machinery/control-socket/index.ts";
import { createClusterPki } from "../machinery/pki/index.ts";
import { type ClusterConfig, clusterPaths } from "../model/cluster-config.ts";
import type { NodeRoster } from "../model/node-roster/index.ts";
import { CommandError } from "./clusters.ts";
import { lastWords } from "./last-words.ts";
import { selfCommand } from "./self.ts";

export interface BootOptions {
  readonly roster: NodeRoster;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Undefined: do not wait for the nodes and DNS. */
  readonly waitMs: number | undefined;
  /** `performance.now()` when the command began. */
  readonly started: number;
  readonly kubeconfig: string | undefined;
  /** Of a cluster that is made now; until it serves, nothing of it is worth keeping. */
  readonly isNew: boolean;
}

/**
 * Resolves when the cluster serves and its context is in the kubeconfig. Rejects, after ending the processes and saying
 * what their logs say, when it does not, or when `signal` aborts; the folders are the caller's to remove.
 */
export async function boot(config: ClusterConfig, options: BootOptions): Promise<ClusterConfig> {
  const { progress, signal } = options;
  const paths = clusterPaths(config);
  let launch: ReturnType<typeof startSupervisor> | undefined;
  const { users, note } = agreeOnUsers(config.name, readUsers(config.stateDir), presentUsers(config.toolsDir));
  if (note !== undefined) progress.say(note);
  try {
    makePrivateFolder(config.stateDir);
    if (options.isNew) markUnfinished(config.stateDir);
    makePrivateFolder(config.runDir);
    markStarting(config.runDir);
    mkdirSync(paths.logs, { recursive: true, mode: 0o700 });
    // The nodes' keys, two for each, are made while the first processes start, which need none of them.
    createClusterPki({ config: { ...config, nodes: [] }, clock: systemClock });
    markLayout(config.stateDir);
    writeWhole(paths.roster, options.roster);
    writeWhole(paths.config, config);
    recordUsers(config.stateDir, users);
    launch = startSupervisor(config, selfCommand, users);
    const pki = createClusterPki({ config, clock: systemClock });
    const admin = administratorOf(pki);
    await waitForServing(config, options);
    mergeKubeconfig(config, options, { pki, admin });
    signal.throwIfAborted();
    await launch.confirm(systemClock);
    return config;
  } catch (error) {
    const evidence = signal.aborted ? undefined : lastWords(paths.logs);
    if (launch !== undefined) await endProcesses(launch.supervisor, systemClock);
    if (evidence !== undefined) progress.say(evidence);
    throw explained(error, config);
  }
}

function writeWhole(path: string, value: object): void {
  writeFileSync(`${path}.new`, JSON.stringify(value, undefined, 2), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Of a cluster that runs already: resolves when it serves and its context is in the kubeconfig, where it may have got lost. */
export async function joinRunning(
  config: ClusterConfig,
  options: Omit<BootOptions, "roster" | "isNew">,
): Promise<ClusterConfig> {
  const { progress } = options;
  progress.say(`The cluster "${config.name}" runs already`);
  // Its milestones are old; only one that it has not come to yet is worth a word, as the error's.
  await waitForServing(config, { ...options, progress: { ...progress, done: () => undefined } });
  const pki = createClusterPki({ config: { ...config, nodes: [] }, clock: systemClock });
  mergeKubeconfig(config, options, { pki, admin: administratorOf(pki) });
  return config;
}

type ClusterPki = ReturnType<typeof createClusterPki>;

const administratorOf = (pki: ClusterPki) =>
  pki.issue({ commonName: "kubernetes-admin", organizations: ["system:masters"], usage: "client", validDays: 365 });

/** A cluster that is started again keeps its file, and the context that was current before it was made. */
function mergeKubeconfig(
  config: ClusterConfig,
  { kubeconfig: option, progress }: Pick<BootOptions, "kubeconfig" | "progress">,
  { pki, admin }: { readonly pki: ClusterPki; readonly admin: ReturnType<ClusterPki["issue"]> },
): void {
  const credentials = {
    server: `https://127.0.0.1:${config.apiPort}`,
    certificateAuthority: pki.caCertificate,
    clientCertificate: admin.certificate,
    clientKey: admin.key,
  };
  const before = readTraces(config.stateDir);
  const kubeconfig = option === undefined && before !== undefined ? before.kubeconfig : kubeconfigPath(option);
  const known = before?.kubeconfig === kubeconfig ? before : undefined;
  const current = currentContext(kubeconfig);
  const previousContext = current === config.name ? known?.previousContext : current;
  // Written down first: should the merge be the last thing this process does, `down` still finds it.
  recordTraces(config.stateDir, {
    kubeconfig,
    context: config.name,
    ...(previousContext === undefined ? {} : { previousContext }),
  });
  mergeContext(kubeconfig, config.name, credentials);
  progress.done("kubeconfig", `context "${config.name}" in ${kubeconfig}`);
}

/** Rejects with `CommandError` where it does not come so far in time. */
async function waitForServing(
  config: ClusterConfig,
  { progress, signal, waitMs, started }: Omit<BootOptions, "roster" | "isNew">,
): Promise<void> {
  const deadline = AbortSignal.timeout(waitMs ?? 30_000);
  const both = AbortSignal.any([signal, deadline]);
  const last: ClusterProgress["step"] = waitMs === undefined ? "api-server" : "dns-ready";
  let reached = "nothing";
  try {
    for await (const milestone of milestones(config, both)) {
      if (milestone.step === "failed") throw new CommandError(milestone.detail ?? "the cluster failed to start");
      const after = `${Math.round(performance.now() - started)} ms`;
      progress.done(
        milestoneText[milestone.step],
        milestone.detail === undefined ? after : `${milestone.detail}, ${after}`,
      );
      reached = milestoneText[milestone.step];
      if (milestone.step === last) return;
    }
  } catch (error) {
    if (!deadline.aborted || signal.aborted) throw error;
    throw new CommandError(
      `The cluster "${config.name}" was not ready after ${(waitMs ?? 30_000) / 1000} s; it came as far as: ${reached}. Allow more with --wait, or see the log above`,
      { cause: error },
    );
  }
  signal.throwIfAborted();
  throw new CommandError(`The cluster "${config.name}" ended while it started`);
}

const milestoneText: Readonly<Record<Exclude<ClusterProgress["step"], "failed">, string>> = {
  namespaces: "namespaces",
  network: "node network",
  "api-server": "API server",
  "nodes-ready": "nodes Ready",
  "dns-ready": "DNS answers",
};

/** The holder's socket appears a moment after its process. */
async function* milestones(config: ClusterConfig, signal: AbortSignal): AsyncGenerator<ClusterProgress> {
  const { holderSocket } = clusterPaths(config);
  for (;;) {
    signal.throwIfAborted();
    if (findSupervisor(config.runDir) === undefined)
      throw new CommandError(`The cluster "${config.name}" ended while it started`);
    try {
      yield* followProgress(holderSocket, signal);
      return;
    } catch (error) {
      if (!(error instanceof ControlError) || signal.aborted) throw error;
      await sleep(4);
    }
  }
}

function explained(error: unknown, config: ClusterConfig): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new CommandError(
      `Cannot write to "${config.stateDir}": the disk is full; free space, or set XDG_STATE_HOME to a folder on another one`,
      { cause: error },
    );
  }
  if (code === "EROFS") {
    return new CommandError(
      `Cannot write to "${config.stateDir}": its file system is read-only; set XDG_STATE_HOME to a folder elsewhere`,
      { cause: error },
    );
  }
  return error;
}
