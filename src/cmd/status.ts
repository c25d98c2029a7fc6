/** `netloom status`: the nodes, the processes and the addresses of a cluster. */
import { runningCluster } from "./clusters.ts";
import { age, formatted } from "./output.ts";
import { type StatusReport, statusReport } from "./status-report.ts";
import { table } from "./table.ts";

export type StatusFormat = "table" | "wide" | "json" | "yaml";

/** The text to print. Rejects with `CommandError` where the cluster does not run. */
export async function status(name: string, format: StatusFormat): Promise<string> {
  const report = await statusReport(runningCluster(name), { isDetailed: format !== "table" });
  if (format === "json" || format === "yaml") return await formatted(report, format);
  return render(report, { isWide: format === "wide", nowMs: Date.now() });
}

function render(report: StatusReport, { isWide, nowMs }: { readonly isWide: boolean; readonly nowMs: number }): string {
  const { addresses, folders } = report;
  const processes = report.processes.map(({ name, state, pid, restarts, startedAt, memoryBytes }) => [
    name,
    state,
    `${pid ?? "-"}`,
    `${restarts}`,
    startedAt === undefined ? "-" : age(nowMs - Date.parse(startedAt)),
    megabytes(memoryBytes),
  ]);
  const failures = report.processes.flatMap(({ name, failure }) =>
    failure === undefined ? [] : [`${name}: ${failure}`],
  );
  const kernelColumns = isWide ? ["RULES", "ELEMENTS", "ROUTES", "LINKS", "CONNECTIONS"] : [];
  const nodes = report.nodes.map(({ name, status: state, address, podCidr, pods, loopbackAddress, kernel }) => [
    name,
    state,
    address,
    podCidr,
    `${pods ?? "-"}`,
    loopbackAddress,
    ...(isWide
      ? [kernel?.rules, kernel?.elements, kernel?.routes, kernel?.links, kernel?.connections].map(
          (count) => `${count ?? "-"}`,
        )
      : []),
  ]);
  return [
    `cluster "${report.name}" (Kubernetes API ${report.kubernetesVersion}), ${megabytes(report.memoryBytes)} of memory with its containers`,
    `API ${addresses.api}, metrics ${addresses.metrics}`,
    `nodes ${addresses.nodeCidr}, pods ${addresses.podCidr} (${report.network}), services ${addresses.serviceCidr}, DNS ${addresses.dns}, outside ${addresses.outside}`,
    ...(isWide ? [`state ${folders.state}, run ${folders.run}`] : []),
    "",
    table([["PROCESS", "STATE", "PID", "RESTARTS", "AGE", "MEMORY"], ...processes]),
    "",
    ...(failures.length === 0 ? [] : [...failures, ""]),
    table([["NODE", "STATUS", "ADDRESS", "POD RANGE", "PODS", "FROM THIS HOST", ...kernelColumns], ...nodes]),
    "",
  ].join("\n");
}

const megabytes = (bytes: number | undefined): string =>
  bytes === undefined ? "-" : `${Math.round(bytes / 1024 / 1024)} MB`;
