import assert from "node:assert/strict";
import { test } from "node:test";
import { Counter, Gauge, Histogram } from "./metric.ts";
import { lintMetrics } from "./lint.ts";
import { createMetricsRegistry } from "./create-registry.ts";
import { metricOf } from "./registry.ts";

test("lintMetrics() names a counter without _total and a foreign unit", () => {
  const registry = createMetricsRegistry();
  metricOf(registry, Counter, { name: "sync_errors", help: "Errors" });
  metricOf(registry, Gauge, { name: "sync_duration_milliseconds", help: "Duration" });
  metricOf(registry, Gauge, { name: "sync_duration_seconds", help: "Duration" });
  assert.deepEqual(lintMetrics(registry), [
    "sync_errors: a counter must end with _total",
    "sync_duration_milliseconds: must use base units (seconds, bytes)",
  ]);
});

test("metricOf() returns the metric that is there", () => {
  const registry = createMetricsRegistry();
  const options = { name: "things_total", help: "Things" };
  assert.equal(metricOf(registry, Counter, options), metricOf(registry, Counter, options));
});

test("metrics() prints counters, gauges and histograms in Prometheus' text format", async () => {
  const registry = createMetricsRegistry();
  const adds = metricOf(registry, Counter, { name: "adds_total", help: "Adds", labelNames: ["name"] });
  adds.inc({ name: 'a "quoted" \\ name' });
  adds.labels("b").inc(2);
  metricOf(registry, Gauge, { name: "depth", help: "Depth" }).set(3);
  const wait = metricOf(registry, Histogram, { name: "wait_seconds", help: "Wait", buckets: [0.1, 1] });
  for (const seconds of [0.05, 0.1, 0.5, 7]) wait.observe(seconds);
  assert.equal(
    await registry.metrics(),
    `# HELP adds_total Adds
# TYPE adds_total counter
adds_total{name="a \\"quoted\\" \\\\ name"} 1
adds_total{name="b"} 2

# HELP depth Depth
# TYPE depth gauge
depth 3

# HELP wait_seconds Wait
# TYPE wait_seconds histogram
wait_seconds_bucket{le="0.1"} 2
wait_seconds_bucket{le="1"} 3
wait_seconds_bucket{le="+Inf"} 4
wait_seconds_sum 7.65
wait_seconds_count 4
`,
  );
});

test("a metric refuses a label that it did not declare", () => {
  const registry = createMetricsRegistry();
  const adds = metricOf(registry, Counter, { name: "adds_total", help: "Adds", labelNames: ["name"] });
  assert.throws(() => adds.inc({ nmae: "a" }), /Cannot count in "adds_total": it has no label "nmae"/);
});

test("series of what is gone are removed by some of their labels", async () => {
  const registry = createMetricsRegistry();
  const labelNames = ["result", "pod", "other_pod"];
  const probes = metricOf(registry, Counter, { name: "probes_total", help: "Probes", labelNames });
  for (const pod of ["a", "b", 'c",pod="a']) {
    for (const result of ["ok", "bad"]) probes.inc({ result, pod, other_pod: "a" });
  }
  probes.remove({ pod: "a" });
  probes.remove({ pod: "b", result: "ok" });
  assert.deepEqual(probes.samples(), [
    'probes_total{result="bad",pod="b",other_pod="a"} 1',
    'probes_total{result="ok",pod="c\\",pod=\\"a",other_pod="a"} 1',
    'probes_total{result="bad",pod="c\\",pod=\\"a",other_pod="a"} 1',
  ]);
});

test("the process' own metrics are read when asked for", async () => {
  const registry = createMetricsRegistry({ withProcess: true });
  const text = await registry.metrics();
  assert.deepEqual(lintMetrics(registry), []);
  assert.match(text, /^process_resident_memory_bytes [1-9]\d+$/m);
});
