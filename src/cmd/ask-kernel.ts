/** What the kernel holds for a cluster. */
import { join } from "node:path";
import { needsUserNamespace } from "../components/lab-host/index.ts";
import type { NamespaceCounts, NamespaceReport } from "../components/lab-inspection/index.ts";
import { runCommand } from "../machinery/process/index.ts";
import { clusterPaths } from "../model/cluster-config.ts";
import type { RunningCluster } from "./clusters.ts";
import { askOverview } from "./overview/index.ts";
import { selfCommand } from "./self.ts";

/** Of all its namespaces. Rejects where they cannot be entered. */
export async function askKernel(cluster: RunningCluster): Promise<readonly NamespaceReport[]> {
  return (await inspectInside(cluster, "reports")) as readonly NamespaceReport[];
}

/**
 * Of its nodes' namespaces. The agents, which are in them already, answer in a fraction of the time that another process
 * takes to start; where one of them does not, such a process is what can still be asked.
 */
export async function countInKernel(
  cluster: RunningCluster,
  agents: readonly string[],
): Promise<readonly NamespaceCounts[]> {
  try {
    const answers = agents.map(async (agent) => await askOverview(cluster.config, agent, { about: "kernel" }));
    return (await Promise.all(answers)).flat();
  } catch {
    return (await inspectInside(cluster, "counts")) as readonly NamespaceCounts[];
  }
}

async function inspectInside({ config, initPid }: RunningCluster, what: "reports" | "counts"): Promise<unknown> {
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
    what,
  ]);
  return JSON.parse(stdout);
}
