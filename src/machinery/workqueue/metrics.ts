/** What a queue tells about itself, under upstream's metric names. */
import { Counter, Gauge, Histogram, metricOf } from "../metrics/index.ts";
import type { MetricsRegistry } from "../metrics/index.ts";

export interface QueueMetrics {
  added(depth: number): void;
  taken(depth: number, waitedMs: number): void;
  worked(tookMs: number): void;
  retried(): void;
}

export const noQueueMetrics: QueueMetrics = {
  added: () => undefined,
  taken: () => undefined,
  worked: () => undefined,
  retried: () => undefined,
};

const buckets = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10];

/** The metrics of the queue `name` in the process' registry; several queues share them, told apart by `name`. */
export function queueMetrics(registry: MetricsRegistry, name: string): QueueMetrics {
  const labelNames = ["name"];
  const depth = metricOf(registry, Gauge, {
    name: "workqueue_depth",
    help: "Keys that wait in the queue",
    labelNames,
  }).labels(name);
  const adds = metricOf(registry, Counter, {
    name: "workqueue_adds_total",
    help: "Keys added to the queue",
    labelNames,
  }).labels(name);
  const retries = metricOf(registry, Counter, {
    name: "workqueue_retries_total",
    help: "Keys queued again after an error",
    labelNames,
  }).labels(name);
  const waited = metricOf(registry, Histogram, {
    name: "workqueue_queue_duration_seconds",
    help: "How long a key waits before it is worked on",
    labelNames,
    buckets,
  }).labels(name);
  const worked = metricOf(registry, Histogram, {
    name: "workqueue_work_duration_seconds",
    help: "How long the work on a key takes",
    labelNames,
    buckets,
  }).labels(name);
  return {
    added: (now) => {
      adds.inc();
      depth.set(now);
    },
    taken: (now, waitedMs) => {
      depth.set(now);
      waited.observe(waitedMs / 1000);
    },
    worked: (tookMs) => worked.observe(tookMs / 1000),
    retried: () => retries.inc(),
  };
}
