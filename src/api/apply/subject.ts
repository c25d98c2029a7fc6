/** What the bookkeeping of owners is about: a kind, through one of its parts. */
import type { KubernetesObject } from "../object.ts";
import { difference, setOf, setOfPaths } from "./field-set.ts";
import type { FieldSet } from "./field-set.ts";
import { shapeOfType } from "./shape.ts";
import type { Shape } from "./shape.ts";

/** An object as another version of its kind shows it. */
export interface Converted {
  /** Key in `generated/definitions.ts`. */
  readonly type: string;
  readonly object: KubernetesObject;
}

export interface Subject {
  /** Key in `generated/definitions.ts`. */
  readonly type: string;
  readonly apiVersion: string;
  /** "" for the object itself. */
  readonly subresource: string;
  /** The status is written through the subresource of that name only. */
  readonly hasStatus: boolean;
  /** The object in another version; undefined where that is no longer served. */
  inVersion(object: KubernetesObject, apiVersion: string): Converted | undefined;
}

export function shapeOfSubject({ type }: Pick<Subject, "type">): Shape {
  return shapeOfType(type);
}

/** What every object has in its metadata and nobody owns. */
const ownerlessMetadata = new Set([
  "name",
  "namespace",
  "creationTimestamp",
  "selfLink",
  "uid",
  "clusterName",
  "generation",
  "managedFields",
  "resourceVersion",
]);

const ownerless = setOfPaths([
  ["f:apiVersion"],
  ["f:kind"],
  ["f:metadata"],
  ...[...ownerlessMetadata].map((name) => ["f:metadata", `f:${name}`]),
]);

/** The object without what a writer of its main part cannot own. */
export function ownedParts({ hasStatus }: Pick<Subject, "hasStatus">, object: KubernetesObject): object {
  const { apiVersion: _version, kind: _kind, metadata = {}, ...rest } = object;
  const owned: Record<string, unknown> = { ...rest };
  if (hasStatus) delete owned["status"];
  owned["metadata"] = Object.fromEntries(Object.entries(metadata).filter(([name]) => !ownerlessMetadata.has(name)));
  return owned;
}

/** The fields of a set that a writer of the subject's part can own. */
export function ownable({ subresource, hasStatus }: Subject, set: FieldSet): FieldSet {
  const children = new Map(difference(set, ownerless).children);
  if (subresource === "status") {
    for (const element of children.keys()) {
      if (element !== "f:status" && element !== "f:metadata") children.delete(element);
    }
  } else if (hasStatus) children.delete("f:status");
  return setOf(false, children);
}

/** The part of a configuration that the subject's part of the object takes. */
export function ownPart({ subresource, hasStatus }: Subject, configuration: KubernetesObject): KubernetesObject {
  const { apiVersion, kind, metadata, status, ...rest } = configuration as KubernetesObject & {
    readonly status?: unknown;
  };
  const head = {
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(kind === undefined ? {} : { kind }),
    ...(metadata === undefined ? {} : { metadata }),
  };
  if (subresource === "status") return { ...head, ...(status === undefined ? {} : { status }) };
  return hasStatus ? { ...head, ...rest } : configuration;
}
