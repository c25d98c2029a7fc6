/** The server's metrics under upstream's names. */
import { Counter, Gauge, Histogram, metricOf } from "../../machinery/metrics/index.ts";
import type { MetricsRegistry } from "../../machinery/metrics/index.ts";
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

const labelNames = ["verb", "group", "version", "resource", "subresource", "scope", "component"] as const;

export function createApiServerMetrics(
  registry: MetricsRegistry,
  { store, watches }: { readonly store: ObjectStore; readonly watches: OpenWatches },
): ApiServerMetrics {
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
  return {
    observe: (info, code, durationMs) => {
      const labels = labelsOf(info);
      requests.inc({ ...labels, code: String(code) });
      // How long a watch was open says nothing about how fast we are.
      if (info.verb !== "watch") durations.observe(labels, durationMs / 1000);
    },
    text: async () => {
      watchers.reset();
      for (const { info } of watches) watchers.inc(labelsOf(info));
      objects.reset();
      for (const resource of store.resources()) objects.set({ resource }, store.count(resource));
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
}

/** Paths that are no resources count together: anyone may make up as many as they like. */
function labelsOf(info: RequestInfo): Record<(typeof labelNames)[number], string> {
  const { group, version, resource, subresource } = info;
  const verb = verbs.get(info.verb) ?? "other";
  if (!info.isResource) {
    return { verb, group: "", version: "", resource: "", subresource: "", scope: "", component: "apiserver" };
  }
  return { verb, group, version, resource, subresource, scope: scopeOf(info), component: "apiserver" };
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
