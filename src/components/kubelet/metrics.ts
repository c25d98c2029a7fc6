/** The kubelet's metrics under upstream's names. */
import { Counter, Gauge, Histogram, metricOf } from "../../machinery/metrics/index.ts";
import type { MetricsRegistry } from "../../machinery/metrics/index.ts";

export type KubeletMetrics = ReturnType<typeof kubeletMetrics>;

/** The nodes of one process share its registry: counters add up, gauges name the node. */
export function kubeletMetrics(registry: MetricsRegistry) {
  return {
    nodeName: metricOf(registry, Gauge, {
      name: "kubelet_node_name",
      help: "The node's name. The count is always 1.",
      labelNames: ["node"],
    }),
    runningPods: metricOf(registry, Gauge, {
      name: "kubelet_running_pods",
      help: "Number of pods that have a running pod sandbox",
      labelNames: ["node"],
    }),
    runningContainers: metricOf(registry, Gauge, {
      name: "kubelet_running_containers",
      help: "Number of containers currently running",
      labelNames: ["node"],
    }),
    startedPods: metricOf(registry, Counter, {
      name: "kubelet_started_pods_total",
      help: "Cumulative number of pods started",
    }),
    startedContainers: metricOf(registry, Counter, {
      name: "kubelet_started_containers_total",
      help: "Cumulative number of containers started",
    }),
    failedContainers: metricOf(registry, Counter, {
      name: "kubelet_started_containers_errors_total",
      help: "Cumulative number of errors when starting containers",
    }),
    sandboxSeconds: metricOf(registry, Histogram, {
      name: "kubelet_run_podsandbox_duration_seconds",
      help: "Duration in seconds of the run_podsandbox operations",
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    }),
    podStartSeconds: metricOf(registry, Histogram, {
      name: "kubelet_pod_start_duration_seconds",
      help: "Duration in seconds from kubelet seeing a pod for the first time to the pod starting to run",
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    }),
    probes: metricOf(registry, Counter, {
      name: "prober_probe_total",
      help: "Cumulative number of a liveness, readiness or startup probe for a container by result.",
      labelNames: ["probe_type", "result", "container", "pod", "namespace", "pod_uid"],
    }),
  } as const;
}
