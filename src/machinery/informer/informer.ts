/** Keeps a local copy of the objects of one resource: lists them, then watches, for as long as it runs. */
import { keyOf, keyText } from "../../api/object.ts";
import type { KubernetesObject, Resource, WatchEvent } from "../../api/object.ts";
import type { Status } from "../../api/generated/types.ts";
import { backoffDelayMs } from "../backoff.ts";
import type { Backoff } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import type { Component } from "../component.ts";
import type { Logger } from "../log.ts";
import { deepFreeze } from "../../lib/deep-freeze/index.ts";
import type { ListWatch, ListWatchScope } from "./list-watch.ts";
import { compareResourceVersions } from "./resource-version.ts";
import { Store } from "./store.ts";
import type { IndexFunction, ReadonlyStore } from "./store.ts";

/** One difference of the local copy. `previous` is absent for a new object, `current` for a deleted one. */
export interface Change<T> {
  /** `namespace/name`, or `name`. */
  readonly key: string;
  readonly current: T | undefined;
  readonly previous: T | undefined;
}

export interface InformerOptions<T extends KubernetesObject, Index extends string> extends ListWatchScope {
  readonly source: ListWatch;
  readonly resource: Resource<T>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly indexes?: Readonly<Record<Index, IndexFunction<T>>>;
  readonly backoff?: Backoff;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
}

export interface Informer<T extends KubernetesObject, Index extends string = never> extends Component {
  readonly resource: Resource<T>;
  readonly store: ReadonlyStore<T, Index>;
  /** Whether the first list is in the store. */
  readonly hasSynced: boolean;
  /**
   * Calls `handler` for each difference, in the order of the watch, after the store has it; first for what is in the
   * store already. The handler must not throw and should only queue a key. Returns what ends the subscription.
   */
  onChange(handler: (change: Change<T>) => void): () => void;
  /**
   * Tells the informer the answer to an own write, so that the store has it before the watch brings it. What the watch
   * has already passed is ignored. Only for informers without selectors: they could not tell whether it belongs.
   */
  observe(written: T): void;
}

/** Grows slowly: a server that is started again is away for half a second, and each wait delays what watches it. */
const defaultBackoff: Backoff = { firstMs: 25, maxMs: 10_000, factor: 1.25, jitter: 0.2 };
/** A watch that ends sooner than this without an event counts as failed: the next one waits. */
const shortWatchMs = 1000;

/** Starts nothing: `run` does. One informer may serve any number of consumers. */
export function createInformer<T extends KubernetesObject, Index extends string = never>(
  options: InformerOptions<T, Index>,
): Informer<T, Index> {
  return new ListWatchInformer(options);
}

class ListWatchInformer<T extends KubernetesObject, Index extends string> implements Informer<T, Index> {
  readonly name: string;
  readonly resource: Resource<T>;
  readonly store: Store<T, Index>;
  readonly ready: Promise<void>;
  hasSynced = false;
  readonly #options: InformerOptions<T, Index>;
  readonly #scope: ListWatchScope;
  readonly #handlers = new Set<(change: Change<T>) => void>();
  readonly #settled = Promise.withResolvers<void>();
  /** Up to where the watch has come; undefined: a list is due. */
  #position: string | undefined;
  #failures = 0;
  #isOutage = false;

  constructor(options: InformerOptions<T, Index>) {
    const { namespace, labelSelector, fieldSelector } = options;
    this.#options = options;
    this.#scope = {
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    };
    this.resource = options.resource;
    this.name = `informer ${options.resource.plural}`;
    this.store = new Store(options.indexes ?? ({} as Record<Index, IndexFunction<T>>));
    this.ready = this.#settled.promise;
    // Whoever waits for `ready` sees the rejection; an informer nobody waits for must not end the process.
    this.ready.catch(() => undefined);
  }

  onChange(handler: (change: Change<T>) => void): () => void {
    this.#handlers.add(handler);
    for (const object of this.store.list()) {
      handler({ key: keyText(keyOf(object)), current: object, previous: undefined });
    }
    return () => this.#handlers.delete(handler);
  }

  observe(written: T): void {
    const version = written.metadata?.resourceVersion;
    // Between a watch that expired and the next list there is no position: the list will put right what it is newer than.
    const isPassed = this.#position !== undefined && compareResourceVersions(version, this.#position) <= 0;
    if (this.hasSynced && !isPassed) this.#apply(written);
  }

  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        try {
          if (this.#position === undefined) await this.#list(signal);
          await this.#watch(signal);
        } catch (error) {
          if (signal.aborted) break;
          await this.#recover(error, signal);
        }
      }
    } finally {
      this.#settled.reject(new Error(`Cannot wait for ${this.name}: it was stopped before its first list`));
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const list = await this.#options.source.list(this.resource, this.#scope);
    if (signal.aborted) return;
    const version = list.metadata?.resourceVersion ?? "";
    const listed = new Set<string>();
    // Set before handlers run: what they write and `observe` is newer than the list.
    this.#position = version;
    for (const object of list.items) {
      listed.add(keyText(keyOf(object)));
      this.#apply(object);
    }
    for (const key of this.store.keys()) {
      const known = this.store.get(key);
      // An own write that was observed after the list was made is not gone, the list is older.
      const isNewer = compareResourceVersions(known?.metadata?.resourceVersion, version) > 0;
      if (!listed.has(key) && !isNewer) this.#remove(key);
    }
    this.#succeeded();
    if (!this.hasSynced) {
      this.hasSynced = true;
      this.#settled.resolve();
    }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { clock, source, random = Math.random } = this.#options;
    const startedAt = clock.now();
    let events = 0;
    const watch = source.watch(this.resource, {
      ...this.#scope,
      ...(this.#position === undefined || this.#position === "" ? {} : { resourceVersion: this.#position }),
      allowWatchBookmarks: true,
      // As upstream's clients: five to ten minutes, so that a dead connection is noticed and reconnects spread.
      timeoutSeconds: Math.ceil(300 * (1 + random())),
      signal,
    });
    for await (const event of watch) {
      if (signal.aborted) return;
      events += 1;
      this.#succeeded();
      this.#handle(event);
    }
    if (!signal.aborted && events === 0 && clock.now() - startedAt < shortWatchMs) {
      throw new Error(`Cannot watch ${this.resource.plural}: the server ended the watch at once`);
    }
  }

  #handle(event: WatchEvent<T>): void {
    if (event.type === "ERROR") throw new WatchError(event.object);
    const version = event.object.metadata?.resourceVersion;
    // Before the handlers run, so that `observe` in them knows how far the watch is.
    this.#position = version ?? this.#position;
    if (event.type === "BOOKMARK") return;
    if (event.type !== "DELETED") {
      this.#apply(event.object);
      return;
    }
    const key = keyText(keyOf(event.object));
    // Not where an own write has made the object anew since.
    if (compareResourceVersions(this.store.get(key)?.metadata?.resourceVersion, version) <= 0) this.#remove(key);
  }

  #apply(object: T): void {
    const key = keyText(keyOf(object));
    const known = this.store.get(key);
    const order = compareResourceVersions(object.metadata?.resourceVersion, known?.metadata?.resourceVersion);
    // Not newer: an own write was observed first, or a relist found nothing changed.
    if (known !== undefined && order <= 0) return;
    // Deleted and made anew in between: consumers see both.
    if (known?.metadata?.uid !== object.metadata?.uid) this.#remove(key);
    const current = deepFreeze(object);
    const previous = this.store.get(key);
    this.store.set(key, current);
    this.#emit({ key, current, previous });
  }

  #remove(key: string): void {
    const previous = this.store.get(key);
    if (previous === undefined) return;
    this.store.delete(key);
    this.#emit({ key, current: undefined, previous });
  }

  #emit(change: Change<T>): void {
    for (const handler of this.#handlers) handler(change);
  }

  #succeeded(): void {
    if (this.#isOutage) this.#options.log.info("watching again", { resource: this.resource.plural });
    this.#isOutage = false;
    this.#failures = 0;
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    const { backoff = defaultBackoff, clock, log, random = Math.random } = this.#options;
    if (isExpired(error)) {
      log.debug("the watch's resource version is too old, listing again", { resource: this.resource.plural });
      this.#position = undefined;
      this.#failures += 1;
      // At once the first time; a server that says so again and again is waited for.
      if (this.#failures === 1) return;
    } else if (!this.#isOutage) {
      // One line per outage, not one per try.
      log.warn("cannot list or watch, trying again", { resource: this.resource.plural, error });
      this.#isOutage = true;
    }
    const delayMs = backoffDelayMs(backoff, this.#failures, random);
    this.#failures += 1;
    try {
      await clock.sleep(delayMs, signal);
    } catch {
      // Stopped: the loop sees the signal.
    }
  }
}

class WatchError extends Error {
  readonly status: Status;

  constructor(status: Status) {
    super(`Cannot go on watching: ${status.message ?? status.reason ?? "the server sent an error"}`);
    this.status = status;
  }
}

/** 410 Gone, be it the answer to the watch request or an event in it. */
function isExpired(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  const { code, status } = error as { readonly code?: unknown; readonly status?: Status | number };
  if (code === 410 || status === 410) return true;
  if (typeof status !== "object") return false;
  return status.code === 410 || status.reason === "Expired" || status.reason === "Gone";
}
