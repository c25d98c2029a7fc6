/** The one way in which components talk to the API: implemented over HTTPS, in process, and by a fake. */
import type { KubernetesObject, ObjectKey, ObjectList, Resource, WatchEvent } from "../api/object.ts";
import type { DeleteOptions } from "../api/generated/types.ts";

export interface ListOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly resourceVersion?: string;
  readonly limit?: number;
  readonly continue?: string;
}

export interface WatchOptions extends ListOptions {
  /** Ends the watch; the iteration then returns. */
  readonly signal: AbortSignal;
  readonly allowWatchBookmarks?: boolean;
  readonly timeoutSeconds?: number;
}

/** `options.subresource`: "status", "scale", … ; writes go to that part of the object only. */
export interface WriteOptions {
  readonly subresource?: string;
  readonly fieldManager?: string;
  readonly signal?: AbortSignal;
}

/** `json` is RFC 6902 (an array), `merge` RFC 7386, `strategic` Kubernetes' strategic merge patch, `apply` server-side apply. */
export interface Patch {
  readonly type: "json" | "merge" | "strategic" | "apply";
  readonly body: unknown;
}

/**
 * Every method rejects with `ApiError` (code, reason and the Status) when the server answers with an error, and with
 * `ConnectionError` when it cannot be reached.
 */
export interface ApiClient {
  get<T extends KubernetesObject>(resource: Resource<T>, key: ObjectKey, options?: WriteOptions): Promise<T>;
  list<T extends KubernetesObject>(resource: Resource<T>, options?: ListOptions): Promise<ObjectList<T>>;
  /** Yields until the server or the signal ends it; an `ERROR` event (410 Gone) is yielded, not thrown. */
  watch<T extends KubernetesObject>(resource: Resource<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>;
  /** `apiVersion` and `kind` may be left out of `object`; the namespace is taken from `metadata.namespace`. */
  create<T extends KubernetesObject>(resource: Resource<T>, object: T, options?: WriteOptions): Promise<T>;
  /** POSTs to a subresource: "binding", "eviction", "token". */
  createSubresource(
    resource: Resource<KubernetesObject>,
    key: ObjectKey,
    subresource: string,
    body: unknown,
  ): Promise<unknown>;
  /** Replaces the object; a `metadata.resourceVersion` in it makes the write conditional (409 Conflict). */
  update<T extends KubernetesObject>(resource: Resource<T>, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends KubernetesObject>(
    resource: Resource<T>,
    key: ObjectKey,
    patch: Patch,
    options?: WriteOptions,
  ): Promise<T>;
  delete(resource: Resource<KubernetesObject>, key: ObjectKey, options?: DeleteOptions): Promise<void>;
}
