/** The shapes every Kubernetes object, list, watch event and error shares, in their wire form. */
import type { ListMeta, ObjectMeta, Status } from "./generated/types.ts";

/** Any object of the API. Kinds add `spec`, `status` and so on, see `generated/types.ts`. */
export interface KubernetesObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: ObjectMeta;
}

export interface ObjectList<T extends KubernetesObject> {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: ListMeta;
  readonly items: readonly T[];
}

/** Which object: `namespace` is absent for cluster-scoped kinds. */
export interface ObjectKey {
  readonly namespace?: string;
  readonly name: string;
}

/** One line of a watch response. `BOOKMARK` carries only a resource version, `ERROR` a Status. */
export type WatchEvent<T extends KubernetesObject> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK"; readonly object: T }
  | { readonly type: "ERROR"; readonly object: Status };

/**
 * A served resource as clients name it. The type parameter ties the name to its kind, so that
 * `client.list(resources.pods)` returns pods.
 */
export interface Resource<T extends KubernetesObject> {
  /** "" for the core group. */
  readonly group: string;
  readonly version: string;
  /** Plural, lower case, as in URLs: "pods". */
  readonly plural: string;
  readonly kind: string;
  readonly isNamespaced: boolean;
  /** Never set; carries T. */
  readonly object?: T;
}

/** `default/web`, or `node-1` for a cluster-scoped object. */
export function keyText(key: ObjectKey): string {
  return key.namespace === undefined ? key.name : `${key.namespace}/${key.name}`;
}

/** The key of an object read from the API. Throws where it has no name. */
export function keyOf(object: KubernetesObject): ObjectKey {
  const { name, namespace } = object.metadata ?? {};
  if (name === undefined) throw new Error(`Cannot name a ${object.kind ?? "object"}: metadata.name is missing`);
  return namespace === undefined ? { name } : { namespace, name };
}

/** "v1" or "apps/v1". */
export function apiVersionOf(resource: Pick<Resource<KubernetesObject>, "group" | "version">): string {
  return resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
}
