/** The files that tell every part of a cluster what it is: the configuration, and the roster of its nodes. */
import { existsSync, readFileSync } from "node:fs";
import { presentConfig, presentRoster } from "../model/state-layout/index.ts";
import { type ClusterConfig, clusterPaths } from "../model/cluster-config.ts";
import { initialRoster, type NodeRoster } from "../model/node-roster/index.ts";

export class ClusterFileError extends Error {
  readonly code = "ClusterFileBroken";
}

/** With the nodes that the cluster has now. Throws `ClusterFileError` with the remedy. */
export function readClusterFile(path: string): ClusterConfig {
  const stored = readJson(path);
  const isObject = typeof stored === "object" && stored !== null && !Array.isArray(stored);
  const value: unknown = isObject ? presentConfig(stored as Readonly<Record<string, unknown>>) : stored;
  const needed = ["name", "stateDir", "runDir", "toolsDir", "nodes", "apiPort", "podCidrs", "serviceCidrs"];
  const missing = needed.filter((field) => typeof value !== "object" || value === null || !(field in value));
  if (missing.length > 0) {
    throw new ClusterFileError(
      `Cannot use the cluster's configuration "${path}": ${missing.join(", ")} missing; remove what is left of the cluster with "netloom down"`,
    );
  }
  const config = value as ClusterConfig;
  return { ...config, nodes: readRoster(config).map(({ node }) => node) };
}

/** All nodes as meant to be; where no roster was written yet, those of the configuration. Throws `ClusterFileError`. */
export function readRoster(config: ClusterConfig): NodeRoster {
  const { roster: path } = clusterPaths(config);
  if (!existsSync(path)) return initialRoster(config.nodes, 1);
  const value = presentRoster(readJson(path));
  const isRoster =
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((entry) => typeof entry === "object" && entry !== null && "node" in entry && "wanted" in entry);
  if (isRoster) return value as NodeRoster;
  throw new ClusterFileError(
    `Cannot use the cluster's nodes "${path}": it is no list of nodes; remove what is left of the cluster with "netloom down"`,
  );
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new ClusterFileError(
      `Cannot read the cluster's configuration "${path}": ${(error as Error).message}; remove what is left of the cluster with "netloom down"`,
      { cause: error },
    );
  }
}
