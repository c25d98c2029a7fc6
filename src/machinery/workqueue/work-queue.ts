/** Keys of work: each is in the queue at most once and never worked on twice at the same time. */
import { backoffDelayMs } from "../backoff.ts";
import type { Backoff } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import { noQueueMetrics } from "./metrics.ts";
import type { QueueMetrics } from "./metrics.ts";

export interface WorkQueueOptions {
  readonly clock: Clock;
  /** Waits between the tries of one key. */
  readonly backoff?: Backoff;
  readonly metrics?: QueueMetrics;
  readonly random?: () => number;
}

export interface WorkQueue {
  /** Keys that wait to be taken; not those whose delay still runs. */
  readonly length: number;
  /** Queues the key; one that is worked on is queued again when that work ends. */
  add(key: string): void;
  /** Queues the key after `ms`. The earliest of several such calls counts; later ones are then dropped. */
  addAfter(key: string, ms: number): void;
  /** Queues the key after its next back-off. */
  retry(key: string): void;
  /** Starts the key's back-off anew: its work succeeded, or is no longer needed. */
  forget(key: string): void;
  /** How often `retry` was called since the last `forget`. */
  retriesOf(key: string): number;
  /**
   * Takes keys and works on up to `concurrency` of them at a time until the signal aborts, then waits for what is under
   * way. `work` must not reject: it calls `retry` and `forget` itself. To be called once.
   */
  run(
    signal: AbortSignal,
    options: { readonly concurrency: number; readonly work: (key: string) => Promise<void> },
  ): Promise<void>;
}

const defaultBackoff: Backoff = { firstMs: 5, maxMs: 60_000, factor: 2, jitter: 0.1 };

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  return new KeyedQueue(options);
}

class KeyedQueue implements WorkQueue {
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #metrics: QueueMetrics;
  readonly #random: () => number;
  /** In the order of their arrival, with the time of it. */
  readonly #waiting = new Map<string, number>();
  readonly #working = new Set<string>();
  /** Added while worked on. */
  readonly #again = new Set<string>();
  readonly #delayed = new Map<string, { readonly at: number; readonly cancel: AbortController }>();
  readonly #retries = new Map<string, number>();
  #wake: (() => void) | undefined;
  #isStopped = false;

  constructor({ clock, backoff = defaultBackoff, metrics = noQueueMetrics, random = Math.random }: WorkQueueOptions) {
    this.#clock = clock;
    this.#backoff = backoff;
    this.#metrics = metrics;
    this.#random = random;
  }

  get length(): number {
    return this.#waiting.size;
  }

  add(key: string): void {
    if (this.#isStopped || this.#waiting.has(key)) return;
    if (this.#working.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#waiting.set(key, this.#clock.now());
    this.#metrics.added(this.#waiting.size);
    this.#wake?.();
  }

  addAfter(key: string, ms: number): void {
    if (this.#isStopped) return;
    if (ms <= 0) {
      this.add(key);
      return;
    }
    const at = this.#clock.now() + ms;
    const earlier = this.#delayed.get(key);
    if (earlier !== undefined && earlier.at <= at) return;
    earlier?.cancel.abort();
    const cancel = new AbortController();
    this.#delayed.set(key, { at, cancel });
    void this.#addLater(key, { ms, signal: cancel.signal });
  }

  retry(key: string): void {
    const retries = this.retriesOf(key);
    this.#retries.set(key, retries + 1);
    this.#metrics.retried();
    this.addAfter(key, backoffDelayMs(this.#backoff, retries, this.#random));
  }

  forget(key: string): void {
    this.#retries.delete(key);
  }

  retriesOf(key: string): number {
    return this.#retries.get(key) ?? 0;
  }

  async run(
    signal: AbortSignal,
    { concurrency, work }: { readonly concurrency: number; readonly work: (key: string) => Promise<void> },
  ): Promise<void> {
    const running = new Set<Promise<void>>();
    const wake = (): void => this.#wake?.();
    signal.addEventListener("abort", wake, { once: true });
    try {
      while (!signal.aborted) {
        const key = running.size < concurrency ? this.#take() : undefined;
        if (key === undefined) {
          await this.#something(signal);
          continue;
        }
        const task = this.#workOn(key, work).finally(() => {
          running.delete(task);
          wake();
        });
        running.add(task);
        // Sockets are served between two keys, however long the queue is.
        await new Promise<void>((resolve) => {
          setImmediate(resolve);
        });
      }
    } finally {
      signal.removeEventListener("abort", wake);
      this.#stop();
      await Promise.all(running);
    }
  }

  async #addLater(key: string, { ms, signal }: { readonly ms: number; readonly signal: AbortSignal }): Promise<void> {
    try {
      await this.#clock.sleep(ms, signal);
    } catch {
      // Replaced by an earlier delay, or the queue stopped.
      return;
    }
    this.#delayed.delete(key);
    this.add(key);
  }

  #take(): string | undefined {
    const [first] = this.#waiting;
    if (first === undefined) return undefined;
    const [key, addedAt] = first;
    this.#waiting.delete(key);
    this.#working.add(key);
    this.#metrics.taken(this.#waiting.size, this.#clock.now() - addedAt);
    return key;
  }

  async #workOn(key: string, work: (key: string) => Promise<void>): Promise<void> {
    const startedAt = this.#clock.now();
    try {
      await work(key);
    } finally {
      this.#metrics.worked(this.#clock.now() - startedAt);
      this.#working.delete(key);
      if (this.#again.delete(key)) this.add(key);
    }
  }

  /** Until a key comes, a task ends or the signal aborts. */
  #something(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
      if (signal.aborted) this.#wake();
    });
  }

  #stop(): void {
    this.#isStopped = true;
    for (const { cancel } of this.#delayed.values()) cancel.abort();
    this.#delayed.clear();
    this.#waiting.clear();
  }
}
