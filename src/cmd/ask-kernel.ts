/** What the kernel holds for a cluster, asked by a process of netloom's that enters the cluster's namespaces for it. */
import { join } from "node:path";
import { needsUserNamespace } from "../components/lab-host/index.ts";
import type { NamespaceReport } from "../components/lab-inspection/index.ts";
import { runCommand } from "../machinery/process/index.ts";
import { clusterPaths } from "../model/cluster-config.ts";
import type { RunningCluster } from "./clusters.ts";
import { selfCommand } from "./self.ts";

/** `nodes`: only the nodes' namespaces; `all`: also the lan's, the outside's and the pods'. */
type Scope = "nodes" | "all";

/** Rejects where the cluster's namespaces cannot be entered. */
export async function askKernel(cluster: RunningCluster, scope: Scope): Promise<readonly NamespaceReport[]> {
  const { config, initPid } = cluster;
  const { stdout } = await runCommand([
    "nsenter",
    `--target=${initPid}`,
    ...(needsUserNamespace() ? ["--user", "--preserve-credentials"] : []),
    "--mount",
    "--pid",
    // Without root a thread that has left the host's network namespace cannot return: the lan is its home instead.
    `--net=/proc/${initPid}/root${join(clusterPaths(config).netns, "lan")}`,
    "--",
    selfCommand.node,
    selfCommand.entry,
    "inspect",
    clusterPaths(config).config,
    scope,
  ]);
  return JSON.parse(stdout) as readonly NamespaceReport[];
}
