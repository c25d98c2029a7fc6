/** The configuration file of a running cluster, which every part of it is given. */
import { readFileSync } from "node:fs";
import type { ClusterConfig } from "../model/cluster-config.ts";

export class ClusterFileError extends Error {
  readonly code = "ClusterFileBroken";
}

/** Throws `ClusterFileError` with the remedy. */
export function readClusterFile(path: string): ClusterConfig {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new ClusterFileError(
      `Cannot read the cluster's configuration "${path}": ${(error as Error).message}; remove what is left of the cluster with "netloom down"`,
      { cause: error },
    );
  }
  const needed = ["name", "stateDir", "runDir", "toolsDir", "nodes", "apiPort", "podCidr", "serviceCidr"];
  const missing = needed.filter((field) => typeof value !== "object" || value === null || !(field in value));
  if (missing.length > 0) {
    throw new ClusterFileError(
      `Cannot use the cluster's configuration "${path}": ${missing.join(", ")} missing; remove what is left of the cluster with "netloom down"`,
    );
  }
  return value as ClusterConfig;
}
