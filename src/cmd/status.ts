/** `netloom status`: the nodes, the processes and the addresses of a cluster. */
import { callControl } from "../machinery/control-socket/index.ts";
import { clusterPaths } from "../model/cluster-config.ts";
import { runningCluster } from "./clusters.ts";
import { table } from "./table.ts";

/** The text to print. Rejects with `CommandError` where the cluster does not run. */
export async function status(name: string): Promise<string> {
  const { config, supervisor } = runningCluster(name);
  const holder = await callControl(clusterPaths(config).holderSocket, { operation: "status" });
  const now = Date.now();
  const processes = holder.components.map(({ name: process, pid, restarts, startedAtMs }) => [
    process,
    pid === undefined ? "restarting" : "running",
    `${restarts}`,
    startedAtMs === undefined ? "-" : `${Math.round((now - startedAtMs) / 1000)}s`,
  ]);
  const nodes = config.nodes.map((node) => [node.name, node.address, node.podCidr, node.loopbackAddress]);
  return [
    `cluster "${config.name}", API https://127.0.0.1:${config.apiPort}, supervisor process ${supervisor.pid}`,
    `services ${config.serviceCidr}, pods ${config.podCidr}, DNS ${config.dnsServiceAddress}, outside ${config.outsideAddress}`,
    "",
    table([["PROCESS", "STATE", "RESTARTS", "AGE"], ["holder", "running", "0", "-"], ...processes]),
    "",
    table([["NODE", "ADDRESS", "PODS", "FROM THIS HOST"], ...nodes]),
    "",
  ].join("\n");
}
