import type { ClusterConfig } from "../../src/model/cluster-config.ts";
import { exampleCluster } from "../../src/model/cluster-plan/index.ts";

/** A cluster of two nodes whose folders lie in `dir`. */
export function labConfig(dir: string): ClusterConfig {
  const [first, second] = exampleCluster(dir).nodes;
  const nodes = [first, second].filter((node) => node !== undefined);
  return exampleCluster(dir, { nodes, stateDir: `${dir}/state`, runDir: `${dir}/run`, toolsDir: `${dir}/tools` });
}
