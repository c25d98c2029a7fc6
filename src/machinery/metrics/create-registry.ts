import { Counter, Gauge } from "./metric.ts";
import { MetricsRegistry } from "./registry.ts";

/** @param options.withProcess - Adds the process' own metrics (CPU, memory, start), named as Prometheus' clients do. */
export function createMetricsRegistry(options: { readonly withProcess?: boolean } = {}): MetricsRegistry {
  const registry = new MetricsRegistry();
  if (options.withProcess === true) addProcessMetrics(registry);
  return registry;
}

function addProcessMetrics(registry: MetricsRegistry): void {
  const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers: [registry] });
  const memory = gauge("process_resident_memory_bytes", "Resident memory size in bytes.");
  const heap = gauge("nodejs_heap_size_used_bytes", "Process heap size used from Node.js in bytes.");
  const cpu = new Counter({
    name: "process_cpu_seconds_total",
    help: "Total user and system CPU time spent in seconds.",
    registers: [registry],
  });
  const start = gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.");
  start.set(performance.timeOrigin / 1000);
  registry.beforeScrape(() => {
    const { rss, heapUsed } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    memory.set(rss);
    heap.set(heapUsed);
    cpu.reset();
    cpu.inc((user + system) / 1e6);
  });
}
