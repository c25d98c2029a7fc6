/**
 * An API client with its own small server behind it, for tests of components: uids, revisions, conflicts, selectors,
 * watches, graceful deletion and finalizers as the real server has them; no validation, defaults or admission.
 */
import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { DeleteOptions } from "../api/generated/types.ts";
import { keyOf } from "../api/object.ts";
import type { KubernetesObject, ObjectKey, ObjectList, Resource, WatchEvent } from "../api/object.ts";
import { alreadyExists, badRequest, conflict, expired, notFound } from "../api/status.ts";
import type { GroupName } from "../api/status.ts";
import type { Clock } from "../machinery/clock.ts";
import { systemClock } from "../machinery/clock.ts";
import type { ApiClient, ListOptions, Patch, WatchOptions, WriteOptions } from "./api-client.ts";
import { EventQueue } from "./event-queue.ts";
import { FakeObjects, nameOf } from "./fake-objects.ts";
import type { FakeResource } from "./fake-objects.ts";
import { patched } from "./patched.ts";
import { selectionOf } from "./selection.ts";

/** One call that a test may look at, or answer with an error. */
export interface FakeRequest {
  readonly verb: "get" | "list" | "watch" | "create" | "update" | "patch" | "delete";
  /** "pods", "deployments.apps". */
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

export interface FakeApiClientOptions {
  readonly clock?: Pick<Clock, "now">;
  /** Called before each request; what it returns is thrown instead: `ConnectionError`, `conflict(…)`. */
  readonly failWith?: (request: FakeRequest) => Error | undefined;
}

export interface FakeApiClient extends ApiClient {
  /** Every request so far, in order. */
  readonly requests: readonly FakeRequest[];
  /** Creates or replaces an object as it is, status and all, past every rule. */
  put<T extends KubernetesObject>(resource: Resource<T>, object: T): T;
  /** Removes an object past every rule. */
  remove(resource: FakeResource, key: ObjectKey): void;
  /** The newest state without an entry in `requests`. */
  peek<T extends KubernetesObject>(resource: Resource<T>, key: ObjectKey): T | undefined;
  peekAll<T extends KubernetesObject>(resource: Resource<T>): readonly T[];
  /** Watches from before now get 410 Gone. */
  compact(): void;
  /** Ends every open watch, as a restart of the server would. */
  breakWatches(): void;
}

/** The parts of kinds that the fake looks into. */
interface Parts extends KubernetesObject {
  readonly spec?: { readonly nodeName?: string; readonly terminationGracePeriodSeconds?: number };
  readonly status?: { readonly phase?: string };
}

/** What no client can change by writing. */
const serverFields = [
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "resourceVersion",
  "generation",
] as const;

const pods: FakeResource = { group: "", version: "v1", plural: "pods", kind: "Pod", isNamespaced: true };

export function createFakeApiClient(options: FakeApiClientOptions = {}): FakeApiClient {
  const clock = options.clock ?? systemClock;
  const objects = new FakeObjects();
  const requests: FakeRequest[] = [];
  const watches = new Set<EventQueue<WatchEvent<KubernetesObject>>>();
  const now = (): string => `${new Date(clock.now()).toISOString().slice(0, 19)}Z`;

  const receive = (
    verb: FakeRequest["verb"],
    resource: FakeResource,
    target: Pick<FakeRequest, "namespace" | "name" | "subresource">,
  ): void => {
    const request: FakeRequest = { verb, resource: nameOf(resource), ...target };
    requests.push(request);
    const error = options.failWith?.(request);
    if (error !== undefined) throw error;
  };

  const existing = (resource: FakeResource, key: ObjectKey): Parts => {
    const object = objects.get(resource, key);
    if (object === undefined) throw notFound(groupName(resource), key.name);
    return object;
  };

  const replace = (resource: FakeResource, key: ObjectKey, next: Parts, subresource: string): KubernetesObject => {
    const old = existing(resource, key);
    const expected = next.metadata?.resourceVersion;
    if (expected !== undefined && expected !== "" && expected !== old.metadata?.resourceVersion) {
      throw conflict(groupName(resource), key.name);
    }
    const object = merged(old, next, subresource);
    if (isDeepStrictEqual(object, old)) return old;
    if (old.metadata?.deletionTimestamp !== undefined && isReleased(resource, object)) {
      objects.remove(resource, key);
      return object;
    }
    return objects.put(resource, key, object);
  };

  const remove = (resource: FakeResource, key: ObjectKey, deletion: DeleteOptions): void => {
    const old = existing(resource, key);
    const { uid, resourceVersion } = deletion.preconditions ?? {};
    if (uid !== undefined && uid !== old.metadata?.uid) {
      const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata?.uid}`;
      throw conflict(groupName(resource), key.name, why);
    }
    if (resourceVersion !== undefined && resourceVersion !== old.metadata?.resourceVersion) {
      const why = `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${old.metadata?.resourceVersion}`;
      throw conflict(groupName(resource), key.name, why);
    }
    const grace = gracePeriodOf(resource, old, deletion);
    const finalizers = old.metadata?.finalizers ?? [];
    if (grace === 0 && finalizers.length === 0) {
      objects.remove(resource, key);
      return;
    }
    const before = old.metadata?.deletionGracePeriodSeconds;
    if (old.metadata?.deletionTimestamp !== undefined && grace >= (before ?? 0)) return;
    const deletionTimestamp = `${new Date(clock.now() + grace * 1000).toISOString().slice(0, 19)}Z`;
    const metadata = { ...old.metadata, deletionTimestamp, deletionGracePeriodSeconds: grace };
    objects.put(resource, key, { ...old, metadata });
  };

  const list = (resource: FakeResource, selection: ListOptions): readonly KubernetesObject[] => {
    const matches = selectionOf(selection);
    return objects.list(resource).filter(matches);
  };

  const watch = (resource: FakeResource, selection: WatchOptions): EventQueue<WatchEvent<KubernetesObject>> => {
    const matches = selectionOf(selection);
    const queue = new EventQueue<WatchEvent<KubernetesObject>>(() => {
      objects.listeners.delete(listener);
      watches.delete(queue);
      selection.signal.removeEventListener("abort", end);
    });
    const end = (): void => queue.end();
    const listener = (event: (typeof objects)["listeners"] extends Set<(event: infer E) => void> ? E : never): void => {
      if (event.resource !== nameOf(resource)) return;
      const isIn = event.type !== "DELETED" && matches(event.object);
      const wasIn = event.previous !== undefined && matches(event.previous);
      if (isIn) queue.push({ type: wasIn ? "MODIFIED" : "ADDED", object: event.object });
      else if (wasIn) queue.push({ type: "DELETED", object: event.object });
    };
    const from = selection.resourceVersion ?? "";
    if (from === "" || from === "0") {
      for (const object of objects.list(resource)) if (matches(object)) queue.push({ type: "ADDED", object });
    } else if (Number(from) < objects.compactedRevision) {
      const { status } = expired(`too old resource version: ${from} (${objects.compactedRevision})`);
      queue.push({ type: "ERROR", object: status });
      queue.end();
      return queue;
    } else {
      for (const event of objects.eventsAfter(resource, Number(from))) listener(event);
    }
    objects.listeners.add(listener);
    watches.add(queue);
    selection.signal.addEventListener("abort", end, { once: true });
    if (selection.signal.aborted) queue.end();
    return queue;
  };

  const create = (resource: FakeResource, object: KubernetesObject): KubernetesObject => {
    const { generateName, namespace = "default" } = object.metadata ?? {};
    const name = object.metadata?.name ?? (generateName === undefined ? "" : generateName + randomSuffix());
    if (name === "") throw badRequest("name or generateName is required");
    const key = resource.isNamespaced ? { namespace, name } : { name };
    if (objects.get(resource, key) !== undefined) throw alreadyExists(groupName(resource), name);
    const { status: _status, ...stored } = object as Parts;
    const metadata = { ...object.metadata, uid: randomUUID(), creationTimestamp: now(), generation: 1 };
    return objects.put(resource, key, { ...stored, metadata });
  };

  return {
    requests,
    get: async (resource, key, { subresource } = {}) => {
      receive("get", resource, { ...key, ...(subresource === undefined ? {} : { subresource }) });
      return Promise.resolve(existing(resource, key) as never);
    },
    list: async <T extends KubernetesObject>(resource: Resource<T>, selection: ListOptions = {}) => {
      receive("list", resource, selection.namespace === undefined ? {} : { namespace: selection.namespace });
      const items = list(resource, selection) as readonly T[];
      return Promise.resolve({ metadata: { resourceVersion: String(objects.revision) }, items } as ObjectList<T>);
    },
    watch: (resource, selection) => {
      receive("watch", resource, selection.namespace === undefined ? {} : { namespace: selection.namespace });
      return watch(resource, selection) as never;
    },
    create: async (resource, object) => {
      receive("create", resource, targetOf(object));
      return Promise.resolve(create(resource, object) as never);
    },
    createSubresource: async (resource, key, subresource, body) => {
      receive("create", resource, { ...key, subresource });
      existing(resource, key);
      if (subresource === "binding") {
        const nodeName = (body as { readonly target?: { readonly name?: string } }).target?.name;
        const pod = existing(resource, key);
        if (pod.spec?.nodeName !== undefined) {
          const why = `pod ${key.name} is already assigned to node "${pod.spec.nodeName}"`;
          throw conflict({ group: "", name: "pods/binding" }, key.name, why);
        }
        objects.put(resource, key, { ...pod, spec: { ...pod.spec, nodeName } } as KubernetesObject);
      } else if (subresource === "eviction") remove(resource, key, {});
      else if (subresource === "token") {
        const expirationTimestamp = new Date(clock.now() + 3_600_000).toISOString();
        return Promise.resolve({
          ...(body as object),
          status: { token: `fake-token-${key.name}`, expirationTimestamp },
        });
      }
      return Promise.resolve({});
    },
    update: async (resource, object, { subresource = "" }: WriteOptions = {}) => {
      receive("update", resource, { ...keyOf(object), subresource });
      return Promise.resolve(replace(resource, keyOf(object), object as Parts, subresource) as never);
    },
    patch: async (resource, key, patch: Patch, { subresource = "" }: WriteOptions = {}) => {
      receive("patch", resource, { ...key, subresource });
      const next = patched(resource, existing(resource, key), patch) as Parts;
      return Promise.resolve(replace(resource, key, next, subresource) as never);
    },
    delete: async (resource, key, deletion = {}) => {
      receive("delete", resource, key);
      remove(resource, key, deletion);
      return Promise.resolve();
    },
    put: (resource, object) => objects.put(resource, keyOf(object), object) as never,
    remove: (resource, key) => objects.remove(resource, key),
    peek: (resource, key) => objects.get(resource, key) as never,
    peekAll: (resource) => objects.list(resource) as never,
    compact: () => {
      objects.compactedRevision = objects.revision;
    },
    breakWatches: () => {
      for (const queue of watches) queue.end();
    },
  };
}

/** Writing the status leaves the rest alone and the other way round; only a change of the rest is a new generation. */
function merged(old: Parts, next: Parts, subresource: string): Parts {
  const { generation, ...kept } = pick(old.metadata ?? {}, serverFields);
  const metadata = { ...without(next.metadata ?? {}, serverFields), ...kept };
  const isSameSpec = isDeepStrictEqual(next.spec, old.spec);
  if (subresource === "status") {
    const object = { ...without(old, ["status"]), ...pick(next, ["status"]) };
    return { ...object, metadata: { ...metadata, ...(generation === undefined ? {} : { generation }) } };
  }
  const count = generation === undefined || isSameSpec ? generation : generation + 1;
  const object = { ...without(next, ["status"]), ...pick(old, ["status"]) };
  return { ...object, metadata: { ...metadata, ...(count === undefined ? {} : { generation: count }) } };
}

/** Nothing holds a deleted object back any more: no finalizer, and for a pod no running grace period. */
function isReleased(resource: FakeResource, object: Parts): boolean {
  const isStopping = nameOf(resource) === "pods" && (object.metadata?.deletionGracePeriodSeconds ?? 0) > 0;
  return (object.metadata?.finalizers ?? []).length === 0 && !isStopping;
}

/** Only pods that a node runs are given time. */
function gracePeriodOf(resource: FakeResource, object: Parts, deletion: DeleteOptions): number {
  if (nameOf(resource) !== nameOf(pods) || object.spec?.nodeName === undefined) return 0;
  const phase = object.status?.phase;
  if (phase === "Succeeded" || phase === "Failed") return 0;
  return deletion.gracePeriodSeconds ?? object.spec.terminationGracePeriodSeconds ?? 30;
}

function groupName(resource: FakeResource): GroupName {
  return { group: resource.group, name: resource.plural };
}

function targetOf(object: KubernetesObject): Pick<FakeRequest, "namespace" | "name"> {
  const { namespace, name } = object.metadata ?? {};
  return { ...(namespace === undefined ? {} : { namespace }), ...(name === undefined ? {} : { name }) };
}

function pick<T extends object, Name extends keyof T>(value: T, names: readonly Name[]): Partial<Pick<T, Name>> {
  const picked: Partial<Pick<T, Name>> = {};
  for (const name of names) if (name in value) picked[name] = value[name];
  return picked;
}

function without<T extends object, Name extends keyof T>(value: T, names: readonly Name[]): Omit<T, Name> {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name as Name))) as Omit<T, Name>;
}

function randomSuffix(): string {
  return randomUUID().slice(0, 5);
}
