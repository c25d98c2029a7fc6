export { lintMetrics } from "./lint.ts";
export { Counter, Gauge, Histogram } from "./metric.ts";
export { createMetricsRegistry, metricOf } from "./registry.ts";
export type { MetricsRegistry } from "./registry.ts";
