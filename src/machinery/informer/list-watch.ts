/** The part of an API client an informer needs. `client/` implements it; tests write a small one of their own. */
import type { KubernetesObject, ObjectList, Resource, WatchEvent } from "../../api/object.ts";

export interface ListWatchScope {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface ListWatch {
  list<T extends KubernetesObject>(resource: Resource<T>, options?: ListWatchScope): Promise<ObjectList<T>>;
  watch<T extends KubernetesObject>(
    resource: Resource<T>,
    options: ListWatchScope & {
      readonly resourceVersion?: string;
      readonly allowWatchBookmarks?: boolean;
      readonly timeoutSeconds?: number;
      readonly signal: AbortSignal;
    },
  ): AsyncIterable<WatchEvent<T>>;
}
