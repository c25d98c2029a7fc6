/** The versions of one resource in memory: what is current, in order, and what happened lately. */
import type { Stored, StoreEvent, StoreKey } from "./object-store.ts";
import { StorageError } from "./object-store.ts";

/** "namespace/name": its order is the order of lists. */
export function pathOf(key: Pick<StoreKey, "namespace" | "name">): string {
  return `${key.namespace}/${key.name}`;
}

export class ResourceVersions {
  readonly current = new Map<string, Stored>();
  /** Sorted paths; undefined after objects were added or removed, until somebody lists. */
  #paths: string[] | undefined;
  #events: StoreEvent[] = [];
  /** The history holds every event after this revision. */
  compactedRevision: number;
  readonly listeners = new Set<(event: StoreEvent) => void>();

  constructor(compactedRevision: number) {
    this.compactedRevision = compactedRevision;
  }

  get historyLength(): number {
    return this.#events.length;
  }

  apply(event: StoreEvent): void {
    const path = pathOf(event.current.key);
    if (event.type === "DELETED") this.current.delete(path);
    else this.current.set(path, event.current);
    if (event.type !== "MODIFIED") this.#paths = undefined;
    this.#events.push(event);
  }

  /** In order; of one namespace, or all when it is undefined. */
  list(namespace: string | undefined): Stored[] {
    this.#paths ??= [...this.current.keys()].toSorted(comparePaths);
    const paths = this.#paths;
    const prefix = namespace === undefined ? "" : `${namespace}/`;
    const items: Stored[] = [];
    for (let index = prefix === "" ? 0 : lowerBound(paths, prefix); index < paths.length; index++) {
      const path = paths[index] ?? "";
      if (!path.startsWith(prefix)) break;
      const stored = this.current.get(path);
      if (stored !== undefined) items.push(stored);
    }
    return items;
  }

  /** Like `list`, as it was at `revision`: the newest state with the later events undone. */
  listAt(revision: number, namespace: string | undefined): Stored[] {
    const state = new Map(this.list(namespace).map((stored) => [pathOf(stored.key), stored]));
    for (const event of this.eventsAfter(revision).toReversed()) {
      if (namespace !== undefined && event.current.key.namespace !== namespace) continue;
      const path = pathOf(event.current.key);
      if (event.previous === undefined) state.delete(path);
      else state.set(path, event.previous);
    }
    return [...state.entries()].toSorted(([a], [b]) => comparePaths(a, b)).map(([, stored]) => stored);
  }

  eventsAfter(revision: number): readonly StoreEvent[] {
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

  /** Drops the oldest `count` events and returns them. */
  dropOldest(count: number): readonly StoreEvent[] {
    const dropped = this.#events.splice(0, count);
    this.compactedRevision = Math.max(this.compactedRevision, dropped.at(-1)?.revision ?? 0);
    return dropped;
  }

  /** Drops every event up to `revision` and returns them. */
  dropUntil(revision: number): readonly StoreEvent[] {
    const count = this.#events.findIndex((event) => event.revision > revision);
    return this.dropOldest(count === -1 ? this.#events.length : count);
  }
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
