/** `netloom start`: boots a stopped cluster from its state folder, also after a crash of the machine. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import {
  checkFamilies,
  checkNamespaces,
  checkTools,
  chooseApiPort,
  chooseLoopbackIndex,
  findSupervisor,
  migrateState,
  PreflightError,
  type Progress,
  removeRunFolder,
} from "../components/lab-host/index.ts";
import { type ClusterConfig, clusterPaths, familiesOf } from "../model/cluster-config.ts";
import { type ClusterOptions, clusterSettings, flagOf, planCluster } from "../model/cluster-plan/index.ts";
import type { NodeRoster } from "../model/node-roster/index.ts";
import { removeAbandoned } from "./abandoned.ts";
import { boot, joinRunning } from "./boot.ts";
import { ClusterFileError, readClusterFile, readRoster } from "./cluster-file.ts";
import { clusterFolders, CommandError, named } from "./clusters.ts";

interface StoredCluster {
  readonly config: ClusterConfig;
  readonly roster: NodeRoster;
}

/**
 * The cluster that lies in the state folder of that name, with today's folders; undefined where there is none. Throws
 * `CommandError` where the folder holds something else, or only a part of one.
 */
export function storedCluster(name: string): StoredCluster | undefined {
  const folders = clusterFolders(name);
  if (!existsSync(folders.stateDir) || readdirSync(folders.stateDir).length === 0) return undefined;
  const paths = clusterPaths(folders);
  try {
    const config = { ...readClusterFile(paths.config), ...folders };
    const keys = ["ca.key", "ca.crt", "sa.key"].filter((key) => !existsSync(join(paths.pki, key)));
    if (existsSync(paths.store) && keys.length > 0) throw new ClusterFileError(`${keys.join(", ")} missing`);
    return { config, roster: readRoster(config) };
  } catch (error) {
    if (!(error instanceof ClusterFileError)) throw error;
    throw new CommandError(
      `The folder "${folders.stateDir}" holds what is left of a cluster "${name}" that does not run: remove it with "netloom down${named(name)}", or choose another --name (${error.message.split(";")[0]})`,
      { cause: error },
    );
  }
}

/** Settings that are kept per family. Which families there are shows in any of them. */
const fieldOf: Readonly<Record<string, keyof ClusterConfig>> = {
  podCidr: "podCidrs",
  serviceCidr: "serviceCidrs",
  nodeCidr: "nodeCidrs",
  outsideCidr: "outsideCidrs",
  ipFamily: "serviceCidrs",
};

/** A setting that cannot change once a cluster is made is refused, rather than ignored. */
export function refuseOtherSettings(
  stored: ClusterConfig,
  { options, isRunning }: { readonly options: ClusterOptions; readonly isRunning: boolean },
): void {
  const planned = planCluster({ ...options, name: stored.name }, stored);
  const other = clusterSettings.filter(({ key }) => {
    if (!Object.hasOwn(options, key) || !(Object.hasOwn(planned, key) || key in fieldOf)) return false;
    if (key === "nodes") return planned.nodes.length !== stored.nodes.length;
    const name = fieldOf[key] ?? (key as keyof ClusterConfig);
    return JSON.stringify(planned[name]) !== JSON.stringify(stored[name]);
  });
  if (other.length === 0) return;
  const flags = other.map(({ key }) => flagOf(key)).join(", ");
  const those = other.length === 1 ? "that option" : "those options";
  const remedy = `without ${those}, or end it with "netloom down${named(stored.name)}" first`;
  const nodes = other.some(({ key }) => key === "nodes") ? '; nodes come and go with "netloom node"' : "";
  throw new CommandError(
    isRunning
      ? `The cluster "${stored.name}" runs already, and with another ${flags}: use it as it is, ${remedy}, or choose another --name${nodes}`
      : `Cannot start the stopped cluster "${stored.name}" with another ${flags}: start it as it was made, ${remedy}`,
  );
}

/** Resolves when the cluster serves, at once where it runs already. Rejects with the state folder as it was. */
export async function start(
  options: { readonly name: string; readonly waitMs: number | undefined; readonly kubeconfig?: string | undefined },
  progress: Progress,
  signal: AbortSignal,
): Promise<ClusterConfig> {
  const started = performance.now();
  const { name, waitMs, kubeconfig } = options;
  const folders = clusterFolders(name);
  await removeAbandoned(name, progress);
  const isThere = storedCluster(name) !== undefined;
  const isRunning = findSupervisor(folders.runDir) !== undefined;
  // An older netloom may have made it.
  if (isThere && !isRunning) for (const what of migrateState(folders.stateDir)) progress.say(`State folder: ${what}`);
  const stored = storedCluster(name);
  if (stored === undefined) {
    throw new CommandError(`There is no cluster "${name}": make one with "netloom up${named(name)}"`);
  }
  if (isRunning) return await joinRunning(stored.config, { progress, signal, waitMs, started, kubeconfig });
  checkTools(folders.toolsDir);
  checkNamespaces();
  checkFamilies(familiesOf(stored.config));
  // What a crash of the machine may have left there.
  removeRunFolder(folders);
  await sweepImages(folders);
  const [apiPort, loopbackIndex] = await Promise.all([
    chooseApiPort(stored.config.apiPort).catch(async (error: unknown) => {
      if (!(error instanceof PreflightError)) throw error;
      return await chooseApiPort(undefined);
    }),
    chooseLoopbackIndex(stored.config.loopbackIndex),
  ]);
  try {
    const { config, roster } = replanned(
      stored,
      { apiPort: apiPort.value, loopbackIndex: loopbackIndex.value },
      progress,
    );
    return await boot(config, { roster, progress, signal, waitMs, started, kubeconfig, isNew: false });
  } catch (error) {
    removeRunFolder(folders);
    throw error;
  } finally {
    apiPort.release();
    loopbackIndex.release();
  }
}

/** The API's port and the loopback network may have been taken while the cluster was stopped: then others are chosen. */
function replanned(
  { config, roster }: StoredCluster,
  { apiPort, loopbackIndex }: Pick<ClusterConfig, "apiPort" | "loopbackIndex">,
  progress: Progress,
): StoredCluster {
  if (apiPort !== config.apiPort)
    progress.say(`Another program listens on 127.0.0.1:${config.apiPort}: the API is at port ${apiPort} now`);
  if (loopbackIndex === config.loopbackIndex) return { config: { ...config, apiPort }, roster };
  progress.say(
    `Another cluster uses 127.${config.loopbackIndex}.0.0/16: the nodes are at 127.${loopbackIndex}.0.0/16 now`,
  );
  const moved = roster.map((entry) => ({
    ...entry,
    node: {
      ...entry.node,
      loopbackAddress: entry.node.loopbackAddress.replace(/^127\.\d+\./, `127.${loopbackIndex}.`),
    },
  }));
  return { config: { ...config, apiPort, loopbackIndex, nodes: moved.map(({ node }) => node) }, roster: moved };
}

/** What a killed `image load` left. Most clusters have no images of their own, and need not know of them. */
async function sweepImages(folders: ReturnType<typeof clusterFolders>): Promise<void> {
  if (!existsSync(join(folders.stateDir, "images"))) return;
  const { createImageStore } = await import("../container/index.ts");
  createImageStore(folders).sweep();
}
