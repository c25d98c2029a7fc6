/** The server's metrics under upstream's names. */
import { Counter, Gauge, Histogram, metricOf } from "../../machinery/metrics/index.ts";
import type { CounterSeries, HistogramSeries, MetricsRegistry } from "../../machinery/metrics/index.ts";
import type { ObjectStore } from "../../storage/index.ts";
import type { OpenWatches } from "./http/resource-call.ts";
import type { RequestInfo } from "./request-info.ts";

export interface ApiServerMetrics {
  /** Counts one finished request. */
  observe(info: RequestInfo, code: number, durationMs: number): void;
  /** All metrics in Prometheus' text form; the gauges are read now. */
  text(): Promise<string>;
  readonly contentType: string;
}

export interface MetricsSources {
  readonly store: ObjectStore;
  readonly watches: OpenWatches;
  /** Is the path one of a resource, or of its subresource, that there is? */
  isServed(info: RequestInfo): boolean;
}

interface RequestSeries {
  readonly count: CounterSeries;
  readonly duration: HistogramSeries;
}

const component = "apiserver";
const labelNames = ["verb", "group", "version", "resource", "subresource", "scope", "component"] as const;

export function createApiServerMetrics(registry: MetricsRegistry, sources: MetricsSources): ApiServerMetrics {
  const requests = metricOf(registry, Counter, {
    name: "apiserver_request_total",
    help: "Counter of apiserver requests broken out for each verb, group, version, resource, scope, component, and HTTP response code",
    labelNames: [...labelNames, "code"],
  });
  const durations = metricOf(registry, Histogram, {
    name: "apiserver_request_duration_seconds",
    help: "Response latency distribution in seconds for each verb, group, version, resource, subresource, scope and component",
    labelNames: [...labelNames],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  });
  const watchers = metricOf(registry, Gauge, {
    name: "apiserver_longrunning_requests",
    help: "Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component",
    labelNames: [...labelNames],
  });
  const objects = metricOf(registry, Gauge, {
    name: "apiserver_storage_objects",
    help: "Number of stored objects at the time of last check split by kind",
    labelNames: ["resource"],
  });
  // Almost all requests are of a few kinds: their series are looked up once.
  const known = new Map<string, RequestSeries>();
  const seriesOf = (info: RequestInfo, code: number): RequestSeries => {
    const values = labelValues(info, sources.isServed(info));
    const kind = `${values.join(" ")} ${code}`;
    let series = known.get(kind);
    if (series === undefined) {
      series = { count: requests.labels(...values, String(code)), duration: durations.labels(...values) };
      known.set(kind, series);
    }
    return series;
  };
  return {
    observe: (info, code, durationMs) => {
      const { count, duration } = seriesOf(info, code);
      count.inc();
      // How long a watch was open says nothing about how fast we are.
      if (info.verb !== "watch") duration.observe(durationMs / 1000);
    },
    text: async () => {
      watchers.reset();
      for (const { info } of sources.watches) watchers.labels(...labelValues(info, true)).inc();
      objects.reset();
      for (const resource of sources.store.resources()) objects.set({ resource }, sources.store.count(resource));
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
}

/** In the order of `labelNames`. What nobody serves counts together: anyone may make up as much of it as they like. */
function labelValues(info: RequestInfo, isServed: boolean): readonly string[] {
  const { group, version, resource, subresource } = info;
  const verb = verbs.get(info.verb) ?? "other";
  if (!isServed) return [verb, "", "", "", "", "", component];
  return [verb, group, version, resource, subresource, scopeOf(info), component];
}

const verbs: ReadonlyMap<string, string> = new Map([
  ["get", "GET"],
  ["list", "LIST"],
  ["watch", "WATCH"],
  ["create", "POST"],
  ["post", "POST"],
  ["update", "PUT"],
  ["put", "PUT"],
  ["patch", "PATCH"],
  ["delete", "DELETE"],
  ["deletecollection", "DELETECOLLECTION"],
]);

function scopeOf({ name, namespace }: RequestInfo): string {
  if (name !== "") return "resource";
  return namespace === "" ? "cluster" : "namespace";
}
