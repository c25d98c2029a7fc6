/** `netloom node list`: the nodes of a cluster, those that are off too. */
import { runningCluster } from "./clusters.ts";
import { formatted } from "./output.ts";
import { statusReport } from "./status-report.ts";
import { table } from "./table.ts";

export type NodeListFormat = "table" | "name" | "json" | "yaml";

/** Rejects with `CommandError` where the cluster does not run. */
export async function listNodes(cluster: string, format: NodeListFormat): Promise<string> {
  const { nodes } = await statusReport(runningCluster(cluster), { isDetailed: false });
  if (format === "name") return nodes.map(({ name }) => `${name}\n`).join("");
  if (format !== "table") return await formatted(nodes, format);
  const rows = nodes.map(({ name, status, address, podCidr, pods, loopbackAddress }) => [
    name,
    status,
    address,
    podCidr,
    `${pods ?? "-"}`,
    loopbackAddress,
  ]);
  return `${table([["NODE", "STATUS", "ADDRESS", "POD RANGE", "PODS", "FROM THIS HOST"], ...rows])}\n`;
}
