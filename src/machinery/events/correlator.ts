/** Keeps floods of like events small, by upstream's rules (client-go tools/record). */
import { hash } from "node:crypto";
import type { CoreV1Event } from "../../api/generated/types.ts";
import type { Clock } from "../clock.ts";

export interface Correlated {
  /** To be written: as it came, or with a higher count, or with a combined message. */
  readonly event: CoreV1Event;
  /** What the server has of it already; undefined: it is to be created. */
  readonly known: KnownEvent | undefined;
  readonly key: string;
}

/** As much of a written event as it takes to write it again. */
interface KnownEvent {
  readonly name: string;
  readonly namespace: string;
  readonly count: number;
  readonly firstTimestamp: string | undefined;
}

/** From so many different messages of one reason on within the interval, they are combined into one event. */
const maxSimilar = 10;
const similarIntervalMs = 600_000;
/** One object's events: so many at once, then one in five minutes. */
const burst = 25;
const refillMs = 300_000;
/**
 * Of each kind of memory, per recorder; the oldest is forgotten. Upstream remembers 4096, but has one recorder in a process:
 * an agent has one for each of its nodes.
 */
const maxKnown = 1024;

export class EventCorrelator {
  readonly #clock: Clock;
  readonly #known = new Map<string, KnownEvent>();
  readonly #similar = new Map<string, { readonly messages: Set<string>; seenAt: number }>();
  readonly #budgets = new Map<string, { tokens: number; filledAt: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Undefined where the object had too many events: this one is not written. */
  correlate(event: CoreV1Event): Correlated | undefined {
    if (!this.#takeToken(spamKey(event))) return undefined;
    const combined = this.#combine(event);
    const key = identityOf(combined);
    const known = this.#known.get(key);
    if (known === undefined) return { event: combined, known, key };
    const merged: CoreV1Event = {
      ...combined,
      metadata: { ...combined.metadata },
      count: known.count + 1,
      ...(known.firstTimestamp === undefined ? {} : { firstTimestamp: known.firstTimestamp }),
    };
    return { event: merged, known, key };
  }

  written({ key }: Correlated, event: CoreV1Event): void {
    const { metadata, count = 1, firstTimestamp } = event;
    const { name = "", namespace = "default" } = metadata;
    remember(this.#known, key, { name, namespace, count, firstTimestamp });
  }

  #combine(event: CoreV1Event): CoreV1Event {
    const key = similarityOf(event);
    const now = this.#clock.now();
    let similar = this.#similar.get(key);
    if (similar === undefined || now - similar.seenAt > similarIntervalMs)
      similar = { messages: new Set(), seenAt: now };
    similar.seenAt = now;
    remember(this.#similar, key, similar);
    const message = digest(event.message ?? "");
    if (similar.messages.size < maxSimilar) similar.messages.add(message);
    // Those seen before the limit go on being counted one by one.
    if (similar.messages.has(message)) return event;
    return { ...event, message: `(combined from similar events): ${event.message ?? ""}` };
  }

  #takeToken(key: string): boolean {
    const now = this.#clock.now();
    const budget = this.#budgets.get(key) ?? { tokens: burst, filledAt: now };
    budget.tokens = Math.min(burst, budget.tokens + (now - budget.filledAt) / refillMs);
    budget.filledAt = now;
    const isAllowed = budget.tokens >= 1;
    if (isAllowed) budget.tokens -= 1;
    remember(this.#budgets, key, budget);
    return isAllowed;
  }

  /** How many things are remembered, of all kinds. */
  get size(): number {
    return this.#known.size + this.#similar.size + this.#budgets.size;
  }
}

function remember<T>(memory: Map<string, T>, key: string, value: T): void {
  memory.delete(key);
  memory.set(key, value);
  if (memory.size <= maxKnown) return;
  const [oldest] = memory.keys();
  if (oldest !== undefined) memory.delete(oldest);
}

/** Keys are kept by the thousand, and what they name is long. */
function digest(...parts: readonly unknown[]): string {
  return hash("sha1", JSON.stringify(parts), "base64");
}

function spamKey({ source, involvedObject: object }: CoreV1Event): string {
  return digest(source, object.kind, object.namespace, object.name, object.uid, object.apiVersion);
}

function similarityOf(event: CoreV1Event): string {
  const { type, reason, involvedObject } = event;
  return digest(spamKey(event), type, reason, involvedObject.fieldPath);
}

function identityOf(event: CoreV1Event): string {
  const message = event.message ?? "";
  // Combined events count together, whatever the last message says.
  return digest(similarityOf(event), message.startsWith("(combined from") ? "combined" : message);
}
