/** The port of the versioned object store: what the API server asks of it, and what one stored version is. */
import type { KubernetesObject } from "../api/object.ts";

/** Where an object lies. `resource` is its storage name ("pods", "deployments.apps"); `namespace` is "" for cluster-scoped kinds. */
export interface StoreKey {
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

/** One version of one object. */
export interface Stored {
  readonly key: StoreKey;
  /** Also in the object, as `metadata.resourceVersion`. */
  readonly revision: number;
  /** The object as JSON: written once, used for disk, answers and watch events alike. */
  readonly text: string;
  /** The same, parsed and deeply frozen. Parsed anew, so another object, where nobody had use for it for a while. */
  readonly object: KubernetesObject;
  /** The same for one look: where nobody has read it yet, it is parsed for the caller alone, and not kept. */
  peek(): KubernetesObject;
}

export interface StoreEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly revision: number;
  /** For DELETED the last state, carrying the revision of the deletion. */
  readonly current: Stored;
  /** The version before; absent for ADDED. */
  readonly previous: Stored | undefined;
}

export interface StoreListOptions {
  readonly namespace?: string;
  /** The state at this revision instead of the newest one. */
  readonly revision?: number;
  /** Only what comes after this key in the order of namespace and name. */
  readonly after?: Pick<StoreKey, "namespace" | "name">;
}

export interface StoreList {
  /** Ordered by namespace, then name. */
  readonly items: readonly Stored[];
  /** The revision at which this was the state. */
  readonly revision: number;
}

/**
 * Versioned objects under one growing revision. Reads answer from memory with what is committed. Writes are checked at
 * once (so a caller that reads `latest` and writes in the same turn cannot conflict) and resolve after the commit.
 */
export interface ObjectStore {
  /** Why the last commit failed; undefined while all is well. */
  readonly failure: string | undefined;
  /** The newest committed revision; every event up to it has been handed to the watchers. */
  readonly revision: number;
  get(key: StoreKey): Stored | undefined;
  /** Like `get`, but sees writes that are not committed yet: the base of a read-modify-write. */
  latest(key: StoreKey): Stored | undefined;
  /** Throws `StorageError` "Compacted" when `options.revision` is older than the history, "Future" when it is not reached. */
  list(resource: string, options?: StoreListOptions): StoreList;
  /** How many objects of the resource there are. */
  count(resource: string): number;
  /** The resources that hold at least one object. */
  resources(): readonly string[];
  /** Rejects with `StorageError` "Exists". */
  create(key: StoreKey, object: KubernetesObject): Promise<Stored>;
  /** Rejects with `StorageError` "NotFound", or "Conflict" when the latest revision is not `expectedRevision`. */
  update(key: StoreKey, object: KubernetesObject, expectedRevision: number): Promise<Stored>;
  /** Resolves to the last state under the revision of the deletion. Rejects like `update`. */
  delete(key: StoreKey, expectedRevision: number): Promise<Stored>;
  /**
   * Calls `listener` at once for each event after `fromRevision`, then for each new one as it is committed, in order,
   * until the returned function is called. Throws `StorageError` "Compacted".
   */
  watch(resource: string, fromRevision: number, listener: (event: StoreEvent) => void): () => void;
  /** Forgets the history up to and including `revision`; current objects stay. */
  compact(revision: number): void;
  /** Keeps only the text of objects that nobody has read since the last call. Harmless at any time. */
  letGoOfUnread(): void;
  /** Waits for the writes under way, then closes the file. Later writes reject. */
  close(): Promise<void>;
}

export type StorageErrorCode = "Exists" | "NotFound" | "Conflict" | "Compacted" | "Future" | "Unavailable" | "Corrupt";

export class StorageError extends Error {
  readonly code: StorageErrorCode;
  constructor(code: StorageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StorageError";
    this.code = code;
  }
}
