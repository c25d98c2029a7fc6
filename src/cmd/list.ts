/** `netloom list`: this user's clusters, running or not. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { findSupervisor, hostFolders, isStarting, knownClusters } from "../components/lab-host/index.ts";
import { clusterPaths } from "../model/cluster-config.ts";
import { readClusterFile } from "./cluster-file.ts";
import { clusterFolders } from "./clusters.ts";
import { age, formatted } from "./output.ts";
import { table } from "./table.ts";

export type ListFormat = "table" | "name" | "json" | "yaml";

interface ListedCluster {
  readonly name: string;
  /** `broken`: it has a folder, and no configuration that can be read; `netloom down` removes it. */
  readonly status: "running" | "starting" | "stopped" | "broken";
  readonly nodes: number | undefined;
  readonly api: string | undefined;
  readonly createdAt: string | undefined;
}

export async function list(format: ListFormat): Promise<string> {
  const clusters = knownClusters(hostFolders()).map(listed);
  if (format === "name") return clusters.map(({ name }) => `${name}\n`).join("");
  if (format !== "table") return await formatted(clusters, format);
  if (clusters.length === 0) return 'No clusters: "netloom up" makes one\n';
  const now = Date.now();
  const rows = clusters.map(({ name, status, nodes, api, createdAt }) => [
    name,
    status,
    `${nodes ?? "-"}`,
    api ?? "-",
    createdAt === undefined ? "-" : age(now - Date.parse(createdAt)),
  ]);
  return `${table([["NAME", "STATUS", "NODES", "API", "AGE"], ...rows])}\n`;
}

function listed(name: string): ListedCluster {
  const folders = clusterFolders(name);
  const isRunning = findSupervisor(folders.runDir) !== undefined;
  try {
    const file = clusterPaths(folders).config;
    const config = readClusterFile(file);
    const starting = isStarting(folders.runDir) ? "starting" : "running";
    return {
      name,
      status: isRunning ? starting : "stopped",
      nodes: config.nodes.length,
      api: `https://127.0.0.1:${config.apiPort}`,
      createdAt: statSync(join(folders.stateDir, "pki")).birthtime.toISOString(),
    };
  } catch {
    return { name, status: isRunning ? "starting" : "broken", nodes: undefined, api: undefined, createdAt: undefined };
  }
}
