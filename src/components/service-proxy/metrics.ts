/** What the proxy tells about itself, under upstream's names. */
import {
  Counter,
  Gauge,
  Histogram,
  createMetricsRegistry,
  metricOf,
  type MetricsRegistry,
} from "../../machinery/metrics/index.ts";

export interface ProxyMetrics {
  readonly failures: { inc(): void };
  readonly repairs: { inc(): void };
  /** `at` in milliseconds since the epoch. */
  synced(sync: {
    readonly isFull: boolean;
    readonly durationMs: number;
    readonly services: number;
    readonly at: number;
  }): void;
}

const buckets = [0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];

export function createProxyMetrics(registry: MetricsRegistry = createMetricsRegistry(), node: string): ProxyMetrics {
  const labelNames = ["node"] as const;
  const histogram = (name: string, help: string) =>
    metricOf(registry, Histogram<"node">, { name, help, labelNames, buckets });
  const duration = histogram(
    "kubeproxy_sync_proxy_rules_duration_seconds",
    "Time to bring the rules of the node in step",
  );
  const full = histogram(
    "kubeproxy_sync_full_proxy_rules_duration_seconds",
    "Time to put all rules of the node in place",
  );
  const partial = histogram(
    "kubeproxy_sync_partial_proxy_rules_duration_seconds",
    "Time to change some rules of the node",
  );
  const last = metricOf(registry, Gauge<"node">, {
    name: "kubeproxy_sync_proxy_rules_last_timestamp_seconds",
    help: "When the rules of the node were last brought in step",
    labelNames,
  });
  const services = metricOf(registry, Gauge<"node">, {
    name: "netloom_service_proxy_services",
    help: "Services with rules on the node",
    labelNames,
  });
  const failures = metricOf(registry, Counter<"node">, {
    name: "kubeproxy_sync_proxy_rules_nftables_sync_failures_total",
    help: "Transactions the kernel refused",
    labelNames,
  });
  const repairs = metricOf(registry, Counter<"node">, {
    name: "netloom_service_proxy_repairs_total",
    help: "Times that rules changed by somebody else were put back",
    labelNames,
  });
  return {
    repairs: { inc: () => repairs.inc({ node }) },
    failures: { inc: () => failures.inc({ node }) },
    synced: (sync) => {
      duration.observe({ node }, sync.durationMs / 1000);
      (sync.isFull ? full : partial).observe({ node }, sync.durationMs / 1000);
      last.set({ node }, sync.at / 1000);
      services.set({ node }, sync.services);
    },
  };
}
