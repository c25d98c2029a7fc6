/** The store itself: memory in front, a write log behind, group commit between them. */
import type { KubernetesObject } from "../api/object.ts";
import type { ObjectStore, Stored, StoreEvent, StoreKey, StoreList, StoreListOptions } from "./object-store.ts";
import { StorageError } from "./object-store.ts";
import { type Version, type VersionEvent, versionFromObject, versionFromText } from "./stored.ts";
import { comparePaths, type HistoryLimits, pathOf, ResourceVersions } from "./versions.ts";
import type { LogContent, LogRow, WriteLog } from "./write-log.ts";

export interface StoreOptions {
  readonly log: WriteLog;
  readonly content?: LogContent;
  /** What is kept per resource for watchers that come back; older ones get "Compacted". */
  readonly history?: Partial<HistoryLimits>;
}

const defaultHistory: HistoryLimits = { events: 4096, characters: 16 * 1024 * 1024 };

/** A write that was checked and waits for its commit. */
interface PendingWrite {
  readonly event: VersionEvent;
  readonly resolve: (stored: Stored) => void;
  readonly reject: (error: Error) => void;
}

export function createStore(options: StoreOptions): ObjectStore {
  return new LoggedStore(options);
}

class LoggedStore implements ObjectStore {
  readonly #log: WriteLog;
  readonly #history: HistoryLimits;
  readonly #resources = new Map<string, ResourceVersions>();
  /** Resource and path -> the newest uncommitted write. */
  readonly #uncommitted = new Map<string, VersionEvent>();
  #queue: PendingWrite[] = [];
  #forget: number[] = [];
  #compacted = new Map<string, number>();
  #revision = 0;
  /** The newest revision handed out; ahead of `#revision` while writes are under way. */
  #issued = 0;
  #committing: Promise<void> | undefined;
  #failure: string | undefined;
  #isClosed = false;

  constructor(options: StoreOptions) {
    this.#log = options.log;
    this.#history = { ...defaultHistory, ...options.history };
    if (options.content !== undefined) this.#load(options.content);
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  get revision(): number {
    return this.#revision;
  }

  get(key: StoreKey): Version | undefined {
    return this.#resources.get(key.resource)?.current.get(pathOf(key));
  }

  latest(key: StoreKey): Version | undefined {
    const uncommitted = this.#uncommitted.get(slotOf(key));
    if (uncommitted === undefined) return this.get(key);
    return uncommitted.type === "DELETED" ? undefined : uncommitted.current;
  }

  list(resource: string, options: StoreListOptions = {}): StoreList {
    const revision = options.revision ?? this.#revision;
    if (revision > this.#revision) {
      throw new StorageError("Future", `Too large resource version: ${revision}, current: ${this.#revision}`);
    }
    const versions = this.#resources.get(resource);
    if (versions === undefined) return { items: [], revision };
    let items =
      revision === this.#revision ? versions.list(options.namespace) : versions.listAt(revision, options.namespace);
    if (options.after !== undefined) {
      const after = pathOf(options.after);
      items = items.filter((stored) => comparePaths(pathOf(stored.key), after) > 0);
    }
    return { items, revision };
  }

  count(resource: string): number {
    return this.#resources.get(resource)?.current.size ?? 0;
  }

  resources(): readonly string[] {
    return [...this.#resources].filter(([, versions]) => versions.current.size > 0).map(([name]) => name);
  }

  create(key: StoreKey, object: KubernetesObject): Promise<Stored> {
    if (this.latest(key) !== undefined) {
      return Promise.reject(new StorageError("Exists", `Cannot create ${describe(key)}: it exists`));
    }
    return this.#write("ADDED", key, object, undefined);
  }

  update(key: StoreKey, object: KubernetesObject, expectedRevision: number): Promise<Stored> {
    const previous = this.#expect(key, expectedRevision);
    if (previous instanceof StorageError) return Promise.reject(previous);
    return this.#write("MODIFIED", key, object, previous);
  }

  delete(key: StoreKey, expectedRevision: number): Promise<Stored> {
    const previous = this.#expect(key, expectedRevision);
    if (previous instanceof StorageError) return Promise.reject(previous);
    return this.#write("DELETED", key, previous.object, previous);
  }

  watch(resource: string, fromRevision: number, listener: (event: StoreEvent) => void): () => void {
    const versions = this.#versions(resource);
    for (const event of versions.eventsAfter(fromRevision)) listener(event);
    versions.listeners.add(listener);
    return () => {
      versions.listeners.delete(listener);
    };
  }

  compact(revision: number): void {
    for (const [resource, versions] of this.#resources) {
      this.#forgetEvents(resource, versions, versions.dropUntil(Math.min(revision, this.#revision)));
    }
  }

  letGoOfUnread(): void {
    for (const { current } of this.#resources.values())
      for (const version of current.values()) version.letGoUnlessRead();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#committing !== undefined) await this.#committing;
    await this.#log.close();
  }

  #expect(key: StoreKey, expectedRevision: number): Version | StorageError {
    const latest = this.latest(key);
    if (latest === undefined) return new StorageError("NotFound", `Cannot find ${describe(key)}: it does not exist`);
    if (latest.revision === expectedRevision) return latest;
    return new StorageError(
      "Conflict",
      `Cannot write ${describe(key)} at revision ${expectedRevision}: it is at ${latest.revision} now; read it again`,
    );
  }

  #write(
    type: StoreEvent["type"],
    key: StoreKey,
    object: KubernetesObject,
    previous: Version | undefined,
  ): Promise<Stored> {
    if (this.#isClosed) {
      return Promise.reject(new StorageError("Unavailable", `Cannot write ${describe(key)}: the store is closed`));
    }
    const revision = ++this.#issued;
    const event: VersionEvent = { type, revision, current: versionFromObject(key, object, revision), previous };
    this.#uncommitted.set(slotOf(key), event);
    return new Promise((resolve, reject) => {
      this.#queue.push({ event, resolve, reject });
      this.#committing ??= this.#commitAll();
    });
  }

  /** One commit per turn of the event loop: all writes that arrive while one is under way share the next. */
  async #commitAll(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      const forget = this.#forget;
      this.#forget = [];
      const compacted = this.#compacted;
      this.#compacted = new Map();
      try {
        await this.#log.commit({ rows: batch.map(({ event }) => rowOf(event)), forget, compacted });
      } catch (error) {
        // What waits in the queue was checked against what now never happened: it fails too. Its revisions are not
        // used again: a crash between commit and answer may have written them.
        this.#forget.push(...forget);
        for (const [resource, revision] of compacted) {
          if (!this.#compacted.has(resource)) this.#compacted.set(resource, revision);
        }
        this.#fail([...batch, ...this.#queue], error);
        continue;
      }
      this.#failure = undefined;
      for (const write of batch) this.#apply(write.event);
      for (const write of batch) write.resolve(write.event.current);
    }
    this.#committing = undefined;
  }

  #fail(writes: readonly PendingWrite[], cause: unknown): void {
    this.#queue = [];
    this.#uncommitted.clear();
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.#failure = reason;
    for (const { event, reject } of writes) {
      reject(new StorageError("Unavailable", `Cannot store ${describe(event.current.key)}: ${reason}`, { cause }));
    }
  }

  #apply(event: VersionEvent): void {
    const { key } = event.current;
    const versions = this.#versions(key.resource);
    versions.apply(event);
    this.#revision = event.revision;
    if (this.#uncommitted.get(slotOf(key)) === event) this.#uncommitted.delete(slotOf(key));
    this.#forgetEvents(key.resource, versions, versions.dropExcess(this.#history));
    for (const listener of versions.listeners) listener(event);
    letGoOfPast(event);
  }

  /** A dropped event takes along the version it replaced, and a dropped deletion its tombstone. */
  #forgetEvents(resource: string, versions: ResourceVersions, events: readonly VersionEvent[]): void {
    if (events.length === 0) return;
    for (const event of events) {
      if (event.previous !== undefined) this.#forget.push(event.previous.revision);
      if (event.type === "DELETED") this.#forget.push(event.revision);
    }
    this.#compacted.set(resource, versions.compactedRevision);
  }

  #versions(resource: string): ResourceVersions {
    let versions = this.#resources.get(resource);
    if (versions === undefined) {
      versions = new ResourceVersions(0);
      this.#resources.set(resource, versions);
    }
    return versions;
  }

  #load(content: LogContent): void {
    for (const [resource, revision] of content.compacted) {
      this.#resources.set(resource, new ResourceVersions(revision));
      this.#revision = Math.max(this.#revision, revision);
    }
    for (const row of content.rows) this.#replay(row);
    this.#issued = this.#revision;
  }

  #replay(row: LogRow): void {
    const key = { resource: row.resource, namespace: row.namespace, name: row.name };
    const versions = this.#versions(row.resource);
    const current = versionFromText(key, row.text, row.revision);
    const previous = versions.current.get(pathOf(key));
    this.#revision = Math.max(this.#revision, row.revision);
    if (row.revision <= versions.compactedRevision) {
      versions.current.set(pathOf(key), current);
      return;
    }
    const kept = previous === undefined ? "ADDED" : "MODIFIED";
    const event: VersionEvent = { type: row.isDeleted ? "DELETED" : kept, revision: row.revision, current, previous };
    versions.apply(event);
    letGoOfPast(event);
  }
}

/** What is only history now stays as text. */
function letGoOfPast({ type, current, previous }: VersionEvent): void {
  previous?.letGo();
  if (type === "DELETED") current.letGo();
}

function slotOf(key: StoreKey): string {
  return `${key.resource}//${pathOf(key)}`;
}

function rowOf(event: VersionEvent): LogRow {
  const { key, text } = event.current;
  return { revision: event.revision, ...key, isDeleted: event.type === "DELETED", text };
}

function describe(key: StoreKey): string {
  return `${key.resource} "${key.namespace === "" ? key.name : pathOf(key)}"`;
}
