/**
 * The server's metrics under CoreDNS's names, in Prometheus' text form. Plain maps instead of the library the other
 * components use: loading that takes longer than the whole start of this server.
 */

/** One series of a counter or gauge; held by whoever counts often, to save looking it up. */
export interface Cell {
  readonly labels: readonly string[];
  value: number;
}

/** Values by label values, in the order of the family's label names. */
class Family {
  readonly values = new Map<string, Cell>();
  readonly name: string;
  readonly kind: "counter" | "gauge";
  readonly help: string;
  readonly labelNames: readonly string[];

  constructor(
    name: string,
    options: { readonly kind: "counter" | "gauge"; readonly help: string; readonly labels: readonly string[] },
  ) {
    this.name = name;
    this.kind = options.kind;
    this.help = options.help;
    this.labelNames = options.labels;
  }

  add(labels: readonly string[], amount = 1): void {
    this.cell(labels).value += amount;
  }

  set(labels: readonly string[], value: number): void {
    this.cell(labels).value = value;
  }

  cell(labels: readonly string[]): Cell {
    const key = labels.join("\u0000");
    const known = this.values.get(key);
    if (known !== undefined) return known;
    const made = { labels, value: 0 };
    this.values.set(key, made);
    return made;
  }

  text(): string {
    const lines = [...this.values.values()].map(
      ({ labels, value }) => `${this.name}${labelText(this.labelNames, labels)} ${value}`,
    );
    return [`# HELP ${this.name} ${this.help}`, `# TYPE ${this.name} ${this.kind}`, ...lines].join("\n");
  }
}

/** One series of a histogram. */
export class Buckets {
  readonly labels: readonly string[];
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum = 0;

  constructor(labels: readonly string[], bounds: readonly number[]) {
    this.labels = labels;
    this.bounds = bounds;
    this.counts = Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    let at = 0;
    while (at < this.bounds.length && value > (this.bounds[at] ?? 0)) at += 1;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    this.sum += value;
  }
}

class HistogramFamily {
  readonly values = new Map<string, Buckets>();
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly bounds: readonly number[];

  constructor(
    name: string,
    options: { readonly help: string; readonly labels: readonly string[]; readonly bounds: readonly number[] },
  ) {
    this.name = name;
    this.help = options.help;
    this.labelNames = options.labels;
    this.bounds = options.bounds;
  }

  observe(labels: readonly string[], value: number): void {
    this.series(labels).observe(value);
  }

  series(labels: readonly string[]): Buckets {
    const key = labels.join("\u0000");
    const known = this.values.get(key);
    if (known !== undefined) return known;
    const made = new Buckets(labels, this.bounds);
    this.values.set(key, made);
    return made;
  }

  text(): string {
    const lines = [...this.values.values()].flatMap(({ labels, counts, sum }) => {
      let total = 0;
      const buckets = [...this.bounds, Infinity].map((bound, index) => {
        total += counts[index] ?? 0;
        const le = bound === Infinity ? "+Inf" : String(bound);
        return `${this.name}_bucket${labelText([...this.labelNames, "le"], [...labels, le])} ${total}`;
      });
      const plain = labelText(this.labelNames, labels);
      return [...buckets, `${this.name}_sum${plain} ${sum}`, `${this.name}_count${plain} ${total}`];
    });
    return [`# HELP ${this.name} ${this.help}`, `# TYPE ${this.name} histogram`, ...lines].join("\n");
  }
}

function labelText(names: readonly string[], values: readonly string[]): string {
  if (names.length === 0) return "";
  const pairs = names.map((name, index) => `${name}="${(values[index] ?? "").replaceAll(/["\\\n]/g, "\\$&")}"`);
  return `{${pairs.join(",")}}`;
}

const seconds = [
  0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192,
];
const bytes = [0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16_000, 32_000, 48_000, 64_000];
const server = ["server", "zone", "view"];

function counter(name: string, help: string, labels: readonly string[] = []): Family {
  return new Family(name, { kind: "counter", help, labels });
}

function gauge(name: string, help: string, labels: readonly string[] = []): Family {
  return new Family(name, { kind: "gauge", help, labels });
}

function histogram(
  name: string,
  help: string,
  options: { readonly labels?: readonly string[]; readonly bounds?: readonly number[] } = {},
): HistogramFamily {
  return new HistogramFamily(name, { help, labels: options.labels ?? [], bounds: options.bounds ?? seconds });
}

export type DnsMetrics = ReturnType<typeof createDnsMetrics>;

export function createDnsMetrics() {
  const families = {
    buildInfo: gauge("coredns_build_info", "Always 1; the labels say what runs", ["goversion", "revision", "version"]),
    requests: counter("coredns_dns_requests_total", "Questions received", [...server, "proto", "family", "type"]),
    responses: counter("coredns_dns_responses_total", "Replies sent, by status", [...server, "rcode", "plugin"]),
    requestSeconds: histogram("coredns_dns_request_duration_seconds", "Time from question to reply", {
      labels: server,
    }),
    requestBytes: histogram("coredns_dns_request_size_bytes", "The reply size the client takes", {
      labels: [...server, "proto"],
      bounds: bytes,
    }),
    responseBytes: histogram("coredns_dns_response_size_bytes", "Size of the replies", {
      labels: [...server, "proto"],
      bounds: bytes,
    }),
    panics: counter("coredns_panics_total", "Questions that ended in an unexpected error"),
    pluginEnabled: gauge("coredns_plugin_enabled", "1 for each plugin of a zone", [...server, "name"]),
    cacheEntries: gauge("coredns_cache_entries", "Replies kept", ["server", "type", "zones"]),
    cacheRequests: counter("coredns_cache_requests_total", "Questions put to the cache", ["server", "zones"]),
    cacheHits: counter("coredns_cache_hits_total", "Questions the cache answered", ["server", "type", "zones"]),
    cacheMisses: counter("coredns_cache_misses_total", "Questions the cache passed on", ["server", "zones"]),
    forwardRejects: counter(
      "coredns_forward_max_concurrent_rejects_total",
      "Questions refused because max_concurrent were under way",
    ),
    proxySeconds: histogram("coredns_proxy_request_duration_seconds", "Time resolvers outside took to answer", {
      labels: ["proxy_name", "to", "rcode"],
    }),
    programmingSeconds: histogram(
      "coredns_kubernetes_dns_programming_duration_seconds",
      "Time from the change of a pod or service to its records being served",
      { labels: ["service_kind"], bounds: Array.from({ length: 20 }, (_, index) => 0.001 * 2 ** index) },
    ),
    reloadFailed: counter("coredns_reload_failed_total", "Changed Corefiles that could not be used"),
    memoryBytes: gauge("process_resident_memory_bytes", "Resident memory"),
    cpuSeconds: counter("process_cpu_seconds_total", "User and system time spent"),
    startTime: gauge("process_start_time_seconds", "When the process started, since the epoch"),
  };
  families.panics.add([], 0);
  families.reloadFailed.add([], 0);
  families.forwardRejects.add([], 0);
  return {
    ...families,
    /** Prometheus' text form, version 0.0.4. */
    text: (): string => {
      const { user, system } = process.cpuUsage();
      families.cpuSeconds.set([], (user + system) / 1e6);
      families.memoryBytes.set([], process.memoryUsage.rss());
      const texts = Object.values(families).map((family) => family.text());
      return `${texts.join("\n")}\n`;
    },
  };
}
