/** Metrics: one registry per process, which `cmd/` makes and hands to each part. */
import { Registry, collectDefaultMetrics } from "prom-client";
import type { Metric } from "prom-client";

export type MetricsRegistry = Registry;

/** @param options.withProcess - Adds the process' own metrics (CPU, memory, event loop), as the Prometheus clients do. */
export function createMetricsRegistry(options: { readonly withProcess?: boolean } = {}): MetricsRegistry {
  const registry = new Registry();
  if (options.withProcess === true) collectDefaultMetrics({ register: registry });
  return registry;
}

/**
 * The metric of that name in the registry, made where it is missing, so that several parts of one process can share it.
 *
 * @param type - `Counter`, `Gauge`, `Histogram` or `Summary` of prom-client.
 */
export function metricOf<M extends Metric, O extends { readonly name: string }>(
  registry: MetricsRegistry,
  type: new (options: O & { registers: MetricsRegistry[] }) => M,
  options: O,
): M {
  const known = registry.getSingleMetric(options.name);
  if (known instanceof type) return known;
  return new type({ ...options, registers: [registry] });
}
