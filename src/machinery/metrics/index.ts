export { lintMetrics } from "./lint.ts";
export { type Exposition, mergeExpositions } from "./merge.ts";
export { Counter, Gauge, Histogram } from "./metric.ts";
export type { CounterSeries, HistogramSeries } from "./metric.ts";
export { createMetricsRegistry } from "./create-registry.ts";
export { metricOf } from "./registry.ts";
export type { MetricsRegistry } from "./registry.ts";
