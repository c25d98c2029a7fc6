/** `netloom up`: makes a cluster and waits until it serves; whatever goes wrong, nothing half-made is left. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import {
  checkNamespaces,
  checkTools,
  chooseApiPort,
  chooseLoopbackIndex,
  endProcesses,
  findSupervisor,
  kubeconfigPath,
  makePrivateFolder,
  markLayout,
  markStarted,
  markStarting,
  mergeContext,
  type Progress,
  recordTraces,
  removeTraces,
  startSupervisor,
} from "../components/lab-host/index.ts";
import { systemClock } from "../machinery/clock.ts";
import { type ClusterProgress, ControlError, followProgress } from "../machinery/control-socket/index.ts";
import { createClusterPki } from "../machinery/pki/index.ts";
import { type ClusterConfig, clusterPaths } from "../model/cluster-config.ts";
import { clusterDefaults, type ClusterOptions, planCluster } from "../model/cluster-plan/index.ts";
import { clusterFolders, CommandError } from "./clusters.ts";
import { lastWords } from "./last-words.ts";
import { selfCommand } from "./self.ts";

export interface UpOptions extends ClusterOptions {
  readonly apiPort?: number | undefined;
  readonly agents?: number | undefined;
  readonly kubeconfig?: string | undefined;
  /** Undefined: do not wait for the nodes and DNS. */
  readonly waitMs: number | undefined;
}

/** Resolves when the cluster serves. Rejects, after removing everything, when it does not, or when `signal` aborts. */
export async function up(options: UpOptions, progress: Progress, signal: AbortSignal): Promise<ClusterConfig> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await boot(options, progress, signal);
    } catch (error) {
      // Between the choice of a free port and the server's listening, another cluster may have taken it.
      const isRace =
        options.apiPort === undefined && error instanceof CommandError && error.message.includes("EADDRINUSE");
      if (!isRace || attempt === mostAttempts) throw error;
      progress.say("The port was taken meanwhile; trying another one");
    }
  }
}

const mostAttempts = 3;

async function boot(options: UpOptions, progress: Progress, signal: AbortSignal): Promise<ClusterConfig> {
  const started = performance.now();
  const config = await plan(options);
  const paths = clusterPaths(config);
  let supervisor: ReturnType<typeof startSupervisor> | undefined;
  try {
    makePrivateFolder(config.stateDir);
    makePrivateFolder(config.runDir);
    markStarting(config.runDir);
    mkdirSync(paths.logs, { recursive: true, mode: 0o700 });
    const pki = createClusterPki({ config, clock: systemClock });
    markLayout(config.stateDir);
    writeFileSync(paths.config, JSON.stringify(config, undefined, 2), { mode: 0o600 });
    supervisor = startSupervisor(config, { ...selfCommand, agents: options.agents ?? 1 });
    const admin = pki.issue({
      commonName: "kubernetes-admin",
      organizations: ["system:masters"],
      usage: "client",
      validDays: 365,
    });
    await waitForServing(config, { progress, signal, waitMs: options.waitMs, started });
    const kubeconfig = kubeconfigPath(options.kubeconfig);
    // Written down first: should the merge be the last thing this process does, `down` still finds it.
    recordTraces(config.stateDir, { kubeconfig, context: config.name });
    const previousContext = mergeContext(kubeconfig, config.name, {
      server: `https://127.0.0.1:${config.apiPort}`,
      certificateAuthority: pki.caCertificate,
      clientCertificate: admin.certificate,
      clientKey: admin.key,
    });
    if (previousContext !== undefined)
      recordTraces(config.stateDir, { kubeconfig, context: config.name, previousContext });
    progress.done("kubeconfig", `context "${config.name}" in ${kubeconfig}`);
    signal.throwIfAborted();
    markStarted(config.runDir);
    return config;
  } catch (error) {
    const evidence = signal.aborted ? undefined : lastWords(paths.logs);
    if (supervisor !== undefined) await endProcesses(supervisor, systemClock);
    removeTraces(config);
    if (evidence !== undefined) progress.say(evidence);
    throw explained(error, config);
  }
}

/** Checks everything that can be checked before anything is made. */
async function plan(options: UpOptions): Promise<ClusterConfig> {
  const name = options.name ?? clusterDefaults.name;
  const folders = clusterFolders(name);
  const host = { ...folders, apiPort: options.apiPort ?? 0, loopbackIndex: 60 };
  planCluster(options, host);
  if (findSupervisor(folders.runDir) !== undefined) {
    throw new CommandError(
      `A cluster "${name}" is running already: use it, end it with "netloom down${named(name)}", or choose another --name`,
    );
  }
  if (existsSync(folders.stateDir) && readdirSync(folders.stateDir).length > 0) {
    throw new CommandError(
      `The folder "${folders.stateDir}" holds what is left of a cluster "${name}" that does not run: remove it with "netloom down${named(name)}", or choose another --name`,
    );
  }
  checkTools(folders.toolsDir);
  checkNamespaces();
  const [apiPort, loopbackIndex] = await Promise.all([chooseApiPort(options.apiPort), chooseLoopbackIndex()]);
  return planCluster(options, { ...folders, apiPort, loopbackIndex });
}

const named = (name: string): string => (name === clusterDefaults.name ? "" : ` --name ${name}`);

interface Waiting {
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly waitMs: number | undefined;
  readonly started: number;
}

async function waitForServing(config: ClusterConfig, { progress, signal, waitMs, started }: Waiting): Promise<void> {
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
