/**
 * Counters, gauges and histograms in Prometheus' text format. The usual library costs 50 ms of CPU at each start of a
 * process; this is the part of it that we need, with the same calls.
 */
type Labels = Readonly<Partial<Record<string, string | number>>>;

/** What a metric asks of the registry it belongs to. */
interface MetricRegister {
  register(metric: Metric): void;
}

export interface MetricOptions {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  readonly registers: readonly MetricRegister[];
}

export type MetricType = "counter" | "gauge" | "histogram";

/** `Label` only documents the names at the place of use. */
export abstract class Metric<Label extends string = string> {
  abstract readonly type: MetricType;
  readonly name: string;
  readonly help: string;
  protected readonly labelNames: readonly string[];
  /** Never set; carries Label. */
  declare readonly label?: Label;

  constructor({ name, help, labelNames = [], registers }: MetricOptions) {
    this.name = name;
    this.help = help;
    this.labelNames = labelNames;
    for (const registry of registers) registry.register(this);
  }

  /** The lines of one scrape, without HELP and TYPE. */
  abstract samples(): readonly string[];

  /** `{name="deployment"}`, the labels in the order of their declaration. Throws for a label that was not declared. */
  protected labelText(labels: Labels): string {
    const unknown = Object.keys(labels).find((label) => !this.labelNames.includes(label));
    if (unknown !== undefined) throw new Error(`Cannot count in "${this.name}": it has no label "${unknown}"`);
    const pairs = this.labelNames
      .filter((label) => labels[label] !== undefined)
      .map((label) => `${label}="${escaped(String(labels[label]))}"`);
    return pairs.join(",");
  }

  protected labelsOf(values: readonly string[]): Labels {
    return Object.fromEntries(this.labelNames.map((label, index) => [label, values[index]]));
  }
}

/** A number per set of labels. */
abstract class NumberMetric<Label extends string> extends Metric<Label> {
  protected readonly values = new Map<string, number>();

  constructor(options: MetricOptions) {
    super(options);
    // One without labels exists from the start, so that a rate over it is right from the first event.
    if (this.labelNames.length === 0) this.values.set("", 0);
  }

  samples(): readonly string[] {
    return [...this.values].map(([labels, value]) => line(this.name, labels, value));
  }

  /** Forgets all labelled values. */
  reset(): void {
    this.values.clear();
  }

  /** Forgets what has these label values, whatever its other labels: for what labels name and is gone. */
  remove(labels: Labels): void {
    const wanted = Object.entries(labels).map(([name, value]) => this.labelText({ [name]: value }));
    for (const key of this.values.keys()) {
      if (wanted.every((pair) => `,${key},`.includes(`,${pair},`))) this.values.delete(key);
    }
  }

  /** `key`: the text of the labels. */
  protected add(key: string, amount: number): void {
    this.values.set(key, (this.values.get(key) ?? 0) + amount);
  }
}

/** One counter of a metric. */
export interface CounterSeries {
  inc(amount?: number): void;
}

/** Only grows. */
export class Counter<Label extends string = string> extends NumberMetric<Label> {
  readonly type = "counter";

  inc(labelsOrAmount: Labels | number = {}, amount = 1): void {
    if (typeof labelsOrAmount === "number") this.add("", labelsOrAmount);
    else this.add(this.labelText(labelsOrAmount), amount);
  }

  /** The counter of these label values, in the order of their declaration: to keep where it is counted often. */
  labels(...values: readonly string[]): CounterSeries {
    const key = this.labelText(this.labelsOf(values));
    return { inc: (amount = 1) => this.add(key, amount) };
  }
}

/** One gauge of a metric. */
interface GaugeSeries {
  set(value: number): void;
  inc(): void;
}

export class Gauge<Label extends string = string> extends NumberMetric<Label> {
  readonly type = "gauge";

  set(labelsOrValue: Labels | number, value = 0): void {
    if (typeof labelsOrValue === "number") this.values.set("", labelsOrValue);
    else this.values.set(this.labelText(labelsOrValue), value);
  }

  inc(labels: Labels = {}): void {
    this.add(this.labelText(labels), 1);
  }

  dec(labels: Labels = {}): void {
    this.add(this.labelText(labels), -1);
  }

  /** The gauge of these label values, in the order of their declaration. */
  labels(...values: readonly string[]): GaugeSeries {
    const key = this.labelText(this.labelsOf(values));
    return { set: (value) => this.values.set(key, value), inc: () => this.add(key, 1) };
  }
}

interface Distribution {
  /** How many observations fell into each bucket itself; the last is beyond all bounds. */
  readonly counts: number[];
  sum: number;
}

/** One distribution of a metric. */
export interface HistogramSeries {
  observe(value: number): void;
}

export class Histogram<Label extends string = string> extends Metric<Label> {
  readonly type = "histogram";
  readonly #bounds: readonly number[];
  readonly #distributions = new Map<string, Distribution>();

  constructor(options: MetricOptions & { readonly buckets: readonly number[] }) {
    super(options);
    this.#bounds = options.buckets;
  }

  observe(labelsOrValue: Labels | number, value = 0): void {
    if (typeof labelsOrValue === "number") this.#add(this.#distribution(""), labelsOrValue);
    else this.#add(this.#distribution(this.labelText(labelsOrValue)), value);
  }

  /** The distribution of these label values, in the order of their declaration: to keep where much is observed. */
  labels(...values: readonly string[]): HistogramSeries {
    const key = this.labelText(this.labelsOf(values));
    return { observe: (value) => this.#add(this.#distribution(key), value) };
  }

  #distribution(key: string): Distribution {
    const known = this.#distributions.get(key);
    if (known !== undefined) return known;
    const distribution = { counts: Array.from({ length: this.#bounds.length + 1 }, () => 0), sum: 0 };
    this.#distributions.set(key, distribution);
    return distribution;
  }

  #add(distribution: Distribution, observed: number): void {
    const bucket = this.#bounds.findIndex((bound) => observed <= bound);
    const index = bucket === -1 ? this.#bounds.length : bucket;
    distribution.counts[index] = (distribution.counts[index] ?? 0) + 1;
    distribution.sum += observed;
  }

  samples(): readonly string[] {
    return [...this.#distributions].flatMap(([labels, { counts, sum }]) => {
      const separator = labels === "" ? "" : ",";
      let total = 0;
      const buckets = counts.map((count, index) => {
        total += count;
        const bound = this.#bounds[index] ?? "+Inf";
        return line(`${this.name}_bucket`, `le="${bound}"${separator}${labels}`, total);
      });
      return [...buckets, line(`${this.name}_sum`, labels, sum), line(`${this.name}_count`, labels, total)];
    });
  }
}

function line(name: string, labels: string, value: number): string {
  return labels === "" ? `${name} ${value}` : `${name}{${labels}} ${value}`;
}

/** Backslash, quote and line feed, as the text format asks. */
function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
