/** The objects an informer knows, by key and by indexes that are kept up with each change. */
import type { KubernetesObject } from "../../api/object.ts";

/** The values under which an object is found in an index; none leaves it out. */
export type IndexFunction<T> = (object: T) => readonly string[];

/** What consumers see of the store. All objects are deeply frozen. */
export interface ReadonlyStore<T extends KubernetesObject, Index extends string = string> {
  readonly size: number;
  /** By `namespace/name`, or `name` for cluster-scoped objects. */
  get(key: string): T | undefined;
  /** In no particular order. */
  list(): readonly T[];
  /** The objects for which the index' function gave `value`; empty where there are none. */
  byIndex(index: Index, value: string): readonly T[];
}

export class Store<T extends KubernetesObject, Index extends string> implements ReadonlyStore<T, Index> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, { readonly values: IndexFunction<T>; readonly keys: Map<string, Set<string>> }>();

  constructor(indexes: Readonly<Record<Index, IndexFunction<T>>>) {
    for (const [name, values] of Object.entries<IndexFunction<T>>(indexes)) {
      this.#indexes.set(name, { values, keys: new Map() });
    }
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): readonly T[] {
    return [...this.#objects.values()];
  }

  keys(): readonly string[] {
    return [...this.#objects.keys()];
  }

  byIndex(index: Index, value: string): readonly T[] {
    const found: T[] = [];
    for (const key of this.#indexes.get(index)?.keys.get(value) ?? []) {
      const object = this.#objects.get(key);
      if (object !== undefined) found.push(object);
    }
    return found;
  }

  set(key: string, object: T): void {
    this.#unindex(key);
    this.#objects.set(key, object);
    for (const { values, keys } of this.#indexes.values()) {
      for (const value of values(object)) {
        const entry = keys.get(value);
        if (entry === undefined) keys.set(value, new Set([key]));
        else entry.add(key);
      }
    }
  }

  delete(key: string): void {
    this.#unindex(key);
    this.#objects.delete(key);
  }

  #unindex(key: string): void {
    const previous = this.#objects.get(key);
    if (previous === undefined) return;
    for (const { values, keys } of this.#indexes.values()) {
      for (const value of values(previous)) {
        const entry = keys.get(value);
        entry?.delete(key);
        if (entry?.size === 0) keys.delete(value);
      }
    }
  }
}
