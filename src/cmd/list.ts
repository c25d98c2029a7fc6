/** `netloom list`: this user's clusters, running or not. */
import { statSync } from "node:fs";
import { join } from "node:path";
import {
  findSupervisor,
  hasSupervisorFile,
  hostFolders,
  isMarkedStarting,
  isStarting,
  isUnfinished,
  knownClusters,
  type LastEnd,
  readEnd,
} from "../components/lab-host/index.ts";
import { clusterPaths } from "../model/cluster-config.ts";
import { readClusterFile } from "./cluster-file.ts";
import { clusterFolders, endText } from "./clusters.ts";
import { age, formatted } from "./output.ts";
import { table } from "./table.ts";

export type ListFormat = "table" | "name" | "json" | "yaml";

interface ListedCluster {
  readonly name: string;
  /**
   * `stopping`: the command that started it was killed before it was through, and it is about to end. `unfinished`: the
   * command that made or removed it was killed; `netloom up` makes it anew. `broken`: it has a folder, and no configuration
   * that can be read. `netloom down` removes either.
   */
  readonly status: "running" | "starting" | "stopping" | "stopped" | "unfinished" | "broken";
  readonly nodes: number | undefined;
  readonly api: string | undefined;
  readonly createdAt: string | undefined;
  /** How it ended last; undefined while it runs. */
  readonly ended: Partial<LastEnd> | undefined;
}

export async function list(format: ListFormat): Promise<string> {
  const clusters = knownClusters(hostFolders()).map(listed);
  if (format === "name") return clusters.map(({ name }) => `${name}\n`).join("");
  if (format !== "table") return await formatted(clusters, format);
  if (clusters.length === 0) return 'No clusters: "netloom up" makes one\n';
  const now = Date.now();
  const rows = clusters.map(({ name, status, nodes, api, createdAt, ended }) => [
    name,
    status,
    `${nodes ?? "-"}`,
    api ?? "-",
    createdAt === undefined ? "-" : age(now - Date.parse(createdAt)),
    ended === undefined ? "-" : lastEnd(ended, now),
  ]);
  return `${table([["NAME", "STATUS", "NODES", "API", "AGE", "LAST END"], ...rows])}\n`;
}

function listed(name: string): ListedCluster {
  const folders = clusterFolders(name);
  const isRunning = findSupervisor(folders.runDir) !== undefined;
  const none = { name, nodes: undefined, api: undefined, createdAt: undefined, ended: undefined };
  if (!isRunning && isUnfinished(folders.stateDir)) return { ...none, status: "unfinished" };
  try {
    const file = clusterPaths(folders).config;
    const config = readClusterFile(file);
    return {
      name,
      status: isRunning ? liveStatus(folders.runDir) : "stopped",
      nodes: config.nodes.length,
      api: `https://127.0.0.1:${config.apiPort}`,
      createdAt: statSync(join(folders.stateDir, "pki")).birthtime.toISOString(),
      ended: isRunning ? undefined : endOf(folders),
    };
  } catch {
    return { ...none, status: isRunning ? "starting" : "broken" };
  }
}

function liveStatus(runDir: string): ListedCluster["status"] {
  if (!isMarkedStarting(runDir)) return "running";
  return isStarting(runDir) ? "starting" : "stopping";
}

/** Nobody writes down that the supervisor was killed; but it leaves its own file. */
function endOf({ stateDir, runDir }: { readonly stateDir: string; readonly runDir: string }): ListedCluster["ended"] {
  return readEnd(stateDir) ?? (hasSupervisorFile(runDir) ? { how: "killed" } : undefined);
}

/** "killed by SIGKILL 5m ago". */
function lastEnd({ how = "stopped", signal, at }: Partial<LastEnd>, now: number): string {
  const text = endText({ how, ...(signal === undefined ? {} : { signal }) });
  return at === undefined ? text : `${text} ${age(now - Date.parse(at))} ago`;
}
