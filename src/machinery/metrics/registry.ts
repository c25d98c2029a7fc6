/** Metrics: one registry per process, which `cmd/` makes and hands to each part. */
import type { Metric } from "./metric.ts";

export class MetricsRegistry {
  readonly contentType = "text/plain; version=0.0.4; charset=utf-8";
  readonly #metrics = new Map<string, Metric>();
  readonly #collectors: (() => void)[] = [];

  /** Throws where another metric has the name. */
  register(metric: Metric): void {
    if (this.#metrics.has(metric.name)) throw new Error(`Cannot register metric "${metric.name}": the name is taken`);
    this.#metrics.set(metric.name, metric);
  }

  get(name: string): Metric | undefined {
    return this.#metrics.get(name);
  }

  list(): readonly Metric[] {
    return [...this.#metrics.values()];
  }

  /** Called before each scrape: sets what is only known when asked. */
  beforeScrape(collect: () => void): void {
    this.#collectors.push(collect);
  }

  /** All metrics in Prometheus' text format 0.0.4. */
  metrics(): Promise<string> {
    for (const collect of this.#collectors) collect();
    const blocks = this.list().map((metric) => {
      const help = metric.help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
      return [`# HELP ${metric.name} ${help}`, `# TYPE ${metric.name} ${metric.type}`, ...metric.samples(), ""].join(
        "\n",
      );
    });
    return Promise.resolve(blocks.join("\n"));
  }
}

/**
 * The metric of that name in the registry, made where it is missing, so that several parts of one process can share it.
 *
 * @param type - `Counter`, `Gauge` or `Histogram`.
 */
export function metricOf<M extends Metric, O extends { readonly name: string }>(
  registry: MetricsRegistry,
  type: new (options: O & { readonly registers: readonly MetricsRegistry[] }) => M,
  options: O,
): M {
  const known = registry.get(options.name);
  if (known instanceof type) return known;
  return new type({ ...options, registers: [registry] });
}
