/** Whose metrics the gateway shows. */
import { resources } from "../api/resources.ts";
import type { ApiClient } from "../client/index.ts";
import { type MetricsSource, metricsSockets, readMetrics } from "../components/metrics-gateway/index.ts";
import type { NamespaceWorker } from "../kernel/netns/index.ts";
import { callControl } from "../machinery/control-socket/index.ts";
import type { MetricsRegistry } from "../machinery/metrics/index.ts";
import { type ClusterConfig, clusterPaths } from "../model/cluster-config.ts";
import { join } from "node:path";

const dnsMetricsPort = 9153;

/** The server's own, the agents', the holder's word on restarts, and the DNS pods'. */
export function createMetricsSources(options: {
  readonly config: ClusterConfig;
  readonly metrics: MetricsRegistry;
  readonly client: ApiClient;
  readonly inside: NamespaceWorker;
}): () => Promise<readonly MetricsSource[]> {
  const { config, metrics, client, inside } = options;
  const paths = clusterPaths(config);
  return async () => [
    { process: "server", read: async () => await metrics.metrics() },
    { process: "holder", read: async () => await restarts(paths.holderSocket) },
    ...metricsSockets(paths.metricsSockets),
    ...(await dnsPods(client)).map(({ name, address }): MetricsSource => ({
      process: name,
      read: async (signal) => {
        const socket = await inside.connectTcp(
          { netnsPath: join(paths.netns, "lan"), address, port: dnsMetricsPort },
          signal,
        );
        return await readMetrics({ createConnection: () => socket }, signal);
      },
    })),
  ];
}

async function restarts(holderSocket: string): Promise<string> {
  const { components } = await callControl(holderSocket, { operation: "status" });
  const samples = components.map(
    ({ name, restarts: count }) => `netloom_restarts_total{of="${name}"} ${Math.max(0, count)}`,
  );
  return [
    "# HELP netloom_restarts_total How often the holder started the process again.",
    "# TYPE netloom_restarts_total counter",
    ...samples,
    "",
  ].join("\n");
}

async function dnsPods(client: ApiClient): Promise<readonly { readonly name: string; readonly address: string }[]> {
  const { items } = await client.list(resources.pods, { namespace: "kube-system", labelSelector: "k8s-app=kube-dns" });
  return items.flatMap(({ metadata, status }) =>
    metadata?.name === undefined || status?.podIP === undefined || status.phase !== "Running"
      ? []
      : [{ name: metadata.name, address: status.podIP }],
  );
}
