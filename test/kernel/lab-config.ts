import type { ClusterConfig } from "../../src/model/cluster-config.ts";
import { type ClusterOptions, exampleCluster } from "../../src/model/cluster-plan/index.ts";

/** A cluster of two nodes whose folders lie in `dir`. */
export function labConfig(dir: string, options: ClusterOptions = {}): ClusterConfig {
  const folders = { stateDir: `${dir}/state`, runDir: `${dir}/run`, toolsDir: `${dir}/tools` };
  return exampleCluster(dir, folders, { ...options, nodes: 2 });
}
