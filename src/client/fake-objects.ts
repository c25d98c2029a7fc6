/** What the fake server remembers: objects, a revision, and everything that happened. */
import { randomUUID } from "node:crypto";
import type { KubernetesObject, ObjectKey, Resource } from "../api/object.ts";
import { apiVersionOf, keyText } from "../api/object.ts";
import { deepFreeze } from "../lib/deep-freeze/index.ts";

export type FakeResource = Resource<KubernetesObject>;

export interface FakeEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly resource: string;
  readonly revision: number;
  readonly object: KubernetesObject;
  readonly previous: KubernetesObject | undefined;
}

export class FakeObjects {
  readonly #objects = new Map<string, Map<string, KubernetesObject>>();
  readonly #events: FakeEvent[] = [];
  readonly listeners = new Set<(event: FakeEvent) => void>();
  revision = 0;
  /** Watches from before it get 410. */
  compactedRevision = 0;

  get(resource: FakeResource, key: ObjectKey): KubernetesObject | undefined {
    return this.#objects.get(nameOf(resource))?.get(keyText(key));
  }

  /** Ordered by namespace and name. */
  list(resource: FakeResource): readonly KubernetesObject[] {
    const objects = this.#objects.get(nameOf(resource)) ?? new Map<string, KubernetesObject>();
    return [...objects].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  }

  /** Stores the object under the next revision and tells the watchers. */
  put(resource: FakeResource, key: ObjectKey, object: KubernetesObject): KubernetesObject {
    const name = nameOf(resource);
    const previous = this.get(resource, key);
    const revision = ++this.revision;
    const stored = deepFreeze(
      structuredClone({
        apiVersion: apiVersionOf(resource),
        kind: resource.kind,
        ...object,
        metadata: { uid: randomUUID(), ...object.metadata, ...key, resourceVersion: String(revision) },
      }),
    );
    const objects = this.#objects.get(name) ?? new Map<string, KubernetesObject>();
    this.#objects.set(name, objects.set(keyText(key), stored));
    const type = previous === undefined ? "ADDED" : "MODIFIED";
    this.#tell({ type, resource: name, revision, object: stored, previous });
    return stored;
  }

  remove(resource: FakeResource, key: ObjectKey): void {
    const previous = this.get(resource, key);
    if (previous === undefined) return;
    this.#objects.get(nameOf(resource))?.delete(keyText(key));
    const revision = ++this.revision;
    const object = deepFreeze({ ...previous, metadata: { ...previous.metadata, resourceVersion: String(revision) } });
    this.#tell({ type: "DELETED", resource: nameOf(resource), revision, object, previous });
  }

  eventsAfter(resource: FakeResource, revision: number): readonly FakeEvent[] {
    return this.#events.filter((event) => event.resource === nameOf(resource) && event.revision > revision);
  }

  #tell(event: FakeEvent): void {
    this.#events.push(event);
    for (const listener of this.listeners) listener(event);
  }
}

/** "pods", "deployments.apps". */
export function nameOf(resource: FakeResource): string {
  return resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;
}
