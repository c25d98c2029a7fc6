import assert from "node:assert/strict";
import { test } from "node:test";
import { Counter, Gauge } from "prom-client";
import { lintMetrics } from "./lint.ts";
import { createMetricsRegistry, metricOf } from "./registry.ts";

test("lintMetrics() names a counter without _total and a foreign unit", async () => {
  const registry = createMetricsRegistry();
  metricOf(registry, Counter, { name: "sync_errors", help: "Errors" });
  metricOf(registry, Gauge, { name: "sync_duration_milliseconds", help: "Duration" });
  metricOf(registry, Gauge, { name: "sync_duration_seconds", help: "Duration" });
  assert.deepEqual(await lintMetrics(registry), [
    "sync_errors: a counter must end with _total",
    "sync_duration_milliseconds: must use base units (seconds, bytes)",
  ]);
});

test("metricOf() returns the metric that is there", () => {
  const registry = createMetricsRegistry();
  const options = { name: "things_total", help: "Things" };
  assert.equal(metricOf(registry, Counter, options), metricOf(registry, Counter, options));
});
