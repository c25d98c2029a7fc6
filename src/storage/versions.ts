/** The versions of one resource in memory: what is current, in order, and what happened lately. */
import type { StoreEvent, StoreKey } from "./object-store.ts";
import { StorageError } from "./object-store.ts";
import type { Version, VersionEvent } from "./stored.ts";

/** "namespace/name": its order is the order of lists. */
export function pathOf(key: Pick<StoreKey, "namespace" | "name">): string {
  return `${key.namespace}/${key.name}`;
}

/** How much of the past is kept; the older of both bounds counts. */
export interface HistoryLimits {
  readonly events: number;
  /** Characters of the objects' texts. */
  readonly characters: number;
}

export class ResourceVersions {
  readonly current = new Map<string, Version>();
  /** Sorted paths; undefined after objects were added or removed, until somebody lists. */
  #paths: string[] | undefined;
  #events: VersionEvent[] = [];
  #characters = 0;
  /** The history holds every event after this revision. */
  compactedRevision: number;
  readonly listeners = new Set<(event: StoreEvent) => void>();

  constructor(compactedRevision: number) {
    this.compactedRevision = compactedRevision;
  }

  apply(event: VersionEvent): void {
    const path = pathOf(event.current.key);
    if (event.type === "DELETED") this.current.delete(path);
    else this.current.set(path, event.current);
    if (event.type !== "MODIFIED") this.#paths = undefined;
    this.#events.push(event);
    this.#characters += event.current.text.length;
  }

  /** In order; of one namespace, or all when it is undefined. */
  list(namespace: string | undefined): Version[] {
    this.#paths ??= [...this.current.keys()].toSorted(comparePaths);
    const paths = this.#paths;
    const prefix = namespace === undefined ? "" : `${namespace}/`;
    const items: Version[] = [];
    for (let index = prefix === "" ? 0 : lowerBound(paths, prefix); index < paths.length; index++) {
      const path = paths[index] ?? "";
      if (!path.startsWith(prefix)) break;
      const stored = this.current.get(path);
      if (stored !== undefined) items.push(stored);
    }
    return items;
  }

  /** Like `list`, as it was at `revision`: the newest state with the later events undone. */
  listAt(revision: number, namespace: string | undefined): Version[] {
    const state = new Map(this.list(namespace).map((stored) => [pathOf(stored.key), stored]));
    for (const event of this.eventsAfter(revision).toReversed()) {
      if (namespace !== undefined && event.current.key.namespace !== namespace) continue;
      const path = pathOf(event.current.key);
      if (event.previous === undefined) state.delete(path);
      else state.set(path, event.previous);
    }
    return [...state.entries()].toSorted(([a], [b]) => comparePaths(a, b)).map(([, stored]) => stored);
  }

  eventsAfter(revision: number): readonly VersionEvent[] {
    if (revision < this.compactedRevision) {
      throw new StorageError("Compacted", `too old resource version: ${revision} (${this.compactedRevision})`);
    }
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#events[middle]?.revision ?? 0) > revision) high = middle;
      else low = middle + 1;
    }
    return this.#events.slice(low);
  }

  /**
   * Drops the oldest events when there are more than the limits allow, and returns them. In lumps: moving the whole array
   * for each event would cost more than keeping a few events longer.
   */
  dropExcess({ events, characters }: HistoryLimits): readonly VersionEvent[] {
    if (this.#events.length <= events * slack && this.#characters <= characters * slack) return [];
    let count = Math.max(0, this.#events.length - events);
    let left = this.#characters - charactersOf(this.#events.slice(0, count));
    for (; left > characters && count < this.#events.length; count += 1) {
      left -= this.#events[count]?.current.text.length ?? 0;
    }
    return this.#dropOldest(count);
  }

  /** Drops every event up to `revision` and returns them. */
  dropUntil(revision: number): readonly VersionEvent[] {
    const count = this.#events.findIndex((event) => event.revision > revision);
    return this.#dropOldest(count === -1 ? this.#events.length : count);
  }

  #dropOldest(count: number): readonly VersionEvent[] {
    const dropped = this.#events.splice(0, count);
    this.#characters -= charactersOf(dropped);
    this.compactedRevision = Math.max(this.compactedRevision, dropped.at(-1)?.revision ?? 0);
    return dropped;
  }
}

const slack = 1.25;

function charactersOf(events: readonly VersionEvent[]): number {
  return events.reduce((sum, { current }) => sum + current.text.length, 0);
}

/** By code units: the order of etcd's keys for the characters names may have. */
export function comparePaths(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function lowerBound(paths: readonly string[], prefix: string): number {
  let low = 0;
  let high = paths.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((paths[middle] ?? "") < prefix) low = middle + 1;
    else high = middle;
  }
  return low;
}
