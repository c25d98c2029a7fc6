export { lintMetrics } from "./lint.ts";
export { createMetricsRegistry, metricOf } from "./registry.ts";
export type { MetricsRegistry } from "./registry.ts";
