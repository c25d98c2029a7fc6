/** Prometheus' rules for metric names (https://prometheus.io/docs/practices/naming/), for the tests of each part. */
import type { MetricsRegistry } from "./registry.ts";

const foreignUnits = /_(milliseconds|ms|microseconds|us|minutes|hours|kilobytes|kb|megabytes|mb)(_|$)/;

/** What is wrong with the registry's metrics, one sentence each; empty where all is well. */
export function lintMetrics(registry: MetricsRegistry): readonly string[] {
  const problems: string[] = [];
  for (const { name, help, type: kind } of registry.list()) {
    if (!/^[a-z][a-z0-9_]*$/.test(name)) problems.push(`${name}: must be lower case with underscores`);
    if (help.trim() === "") problems.push(`${name}: has no help text`);
    if (foreignUnits.test(name)) problems.push(`${name}: must use base units (seconds, bytes)`);
    if (kind === "counter" && !name.endsWith("_total")) problems.push(`${name}: a counter must end with _total`);
    if (kind !== "counter" && name.endsWith("_total")) problems.push(`${name}: only a counter ends with _total`);
    if (/_(count|sum|bucket)$/.test(name)) problems.push(`${name}: the suffix belongs to histograms`);
    if (name.includes(`_${kind}`)) problems.push(`${name}: must not contain its type`);
  }
  return problems;
}
