import type { ClusterConfig } from "../cluster-config.ts";
import { type ClusterOptions, planCluster } from "./plan-cluster.ts";

/** The default cluster with all its folders at `folder`, for tests and benchmarks; `changes` as they need them, or made with other `options`. */
export function exampleCluster(
  folder: string,
  changes: Partial<ClusterConfig> = {},
  options: ClusterOptions = {},
): ClusterConfig {
  const host = { stateDir: folder, runDir: folder, toolsDir: folder, apiPort: 6443, loopbackIndex: 60 };
  return { ...planCluster({ name: "test", ...options }, host), ...changes };
}
