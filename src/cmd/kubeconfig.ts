/** `netloom kubeconfig`: the administrator's kubeconfig of a running cluster, for scripts. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { clusterPaths } from "../model/cluster-config.ts";
import { runningCluster } from "./clusters.ts";

export function kubeconfig(name: string): string {
  const { config } = runningCluster(name);
  return readFileSync(join(clusterPaths(config).kubeconfigs, "admin.conf"), "utf8");
}
