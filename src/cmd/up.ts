/** `netloom up`: makes a cluster and waits until it serves; whatever goes wrong, nothing half-made is left. */
import {
  checkFamilies,
  checkNamespaces,
  checkTools,
  chooseApiPort,
  chooseLoopbackIndex,
  findSupervisor,
  type Progress,
  removeTraces,
} from "../components/lab-host/index.ts";
import { type ClusterConfig, familiesOf } from "../model/cluster-config.ts";
import { clusterDefaults, type ClusterOptions, planCluster } from "../model/cluster-plan/index.ts";
import { initialRoster } from "../model/node-roster/index.ts";
import { removeAbandoned } from "./abandoned.ts";
import { boot } from "./boot.ts";
import { clusterFolders, CommandError } from "./clusters.ts";
import { refuseOtherSettings, start, storedCluster } from "./start.ts";

export interface UpOptions extends ClusterOptions {
  /** Undefined: do not wait for the nodes and DNS. */
  readonly waitMs: number | undefined;
}

/**
 * Resolves when the cluster serves. One that runs already is taken as it is, one that was stopped is started again, with the
 * settings it was made with: others are refused. Rejects
 * when it does not serve, or when `signal` aborts: then a new one is removed, and a stopped one is as it was before.
 */
export async function up(options: UpOptions, progress: Progress, signal: AbortSignal): Promise<ClusterConfig> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await makeOrStart(options, progress, signal);
    } catch (error) {
      // Between the choice of a free port and the server's listening, another program may have taken it.
      const isRace =
        options.apiPort === undefined && error instanceof CommandError && error.message.includes("EADDRINUSE");
      if (!isRace || attempt === mostAttempts) throw error;
      progress.say("The port was taken meanwhile; trying another one");
    }
  }
}

const mostAttempts = 3;

async function makeOrStart(options: UpOptions, progress: Progress, signal: AbortSignal): Promise<ClusterConfig> {
  const started = performance.now();
  const name = options.name ?? clusterDefaults.name;
  const folders = clusterFolders(name);
  await removeAbandoned(name, progress);
  const stored = storedCluster(name);
  if (stored !== undefined) {
    refuseOtherSettings(stored.config, { options, isRunning: findSupervisor(folders.runDir) !== undefined });
    return await start({ name, waitMs: options.waitMs, kubeconfig: options.kubeconfig }, progress, signal);
  }
  checkTools(folders.toolsDir);
  checkNamespaces();
  const [apiPort, loopbackIndex] = await Promise.all([chooseApiPort(options.apiPort), chooseLoopbackIndex()]);
  const config = planCluster(options, { ...folders, apiPort: apiPort.value, loopbackIndex: loopbackIndex.value });
  checkFamilies(familiesOf(config));
  try {
    const { waitMs, kubeconfig } = options;
    const roster = initialRoster(config.nodes, options.agents ?? 1);
    return await boot(config, { roster, progress, signal, waitMs, started, kubeconfig, isNew: true });
  } catch (error) {
    removeSaying(config, { progress, error });
    throw error;
  } finally {
    apiPort.release();
    loopbackIndex.release();
  }
}

/** What could not be removed is told beside why there is no cluster, unless it is the same. */
function removeSaying(
  config: ClusterConfig,
  { progress, error }: { readonly progress: Progress; readonly error: unknown },
): void {
  try {
    removeTraces(config);
  } catch (left) {
    if ((error as { readonly code?: unknown }).code !== (left as { readonly code?: unknown }).code) {
      progress.say((left as Error).message);
    }
  }
}
