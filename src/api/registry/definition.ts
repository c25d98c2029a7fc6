/** One served resource, declared as data and pure functions: all that the API server needs to know of a kind. */
import type { FieldError } from "../field-error.ts";
import type { KubernetesObject, Resource } from "../object.ts";

export type Verb = "create" | "delete" | "deletecollection" | "get" | "list" | "patch" | "update" | "watch";

/** A plain JSON object that its holder alone may change: prepare functions work on a private copy. */
export type Draft<T> = T extends readonly (infer Item)[]
  ? Draft<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Draft<T[Key]> }
    : T;

/** A column of a Table answer. `priority` 0 is always shown, 1 only with `-o wide`. */
export interface Column {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean" | "date";
  /** "name" on columns of names. */
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

export interface RowCondition {
  readonly type: "Completed";
  readonly status: "True";
  readonly reason: string;
  readonly message: string;
}

export type Cell = string | number | boolean | null;

/**
 * How a subresource is reached. `object` ones read and write (a part of) the object itself, `action` ones take or
 * give another kind, `stream` ones belong to the kubelet and are tunnelled.
 */
export interface Subresource {
  readonly style: "object" | "action" | "stream";
  readonly verbs: readonly Verb[];
  /** What discovery names: the parent's own kind for `status`, `Scale`, `Eviction`, … */
  readonly kind: string;
  /** Set where it differs from the parent's: `autoscaling`/`v1` for Scale, `policy`/`v1` for Eviction. */
  readonly group?: string;
  readonly version?: string;
  /** Model name in `generated/definitions.ts` of what is sent and answered; absent for streams. */
  readonly type?: string;
}

/** Where the objects lie: kinds that share a place (core and events.k8s.io events) share a watch history. */
export interface StoragePlace {
  readonly group: string;
  readonly plural: string;
}

export interface UpdateContext<T> {
  /** The object as stored. */
  readonly old: T;
  /** Empty for the object itself, else "status", "scale", … */
  readonly subresource: string;
}

/** How `autoscaling/v1` Scale reads and writes the object. */
export interface Scaling<T> {
  /** `selector` in text form. */
  read(object: T): { readonly specReplicas: number; readonly statusReplicas: number; readonly selector: string };
  write(draft: Draft<T>, replicas: number): void;
}

export interface ResourceDefinition<T extends KubernetesObject = KubernetesObject> extends Resource<T> {
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly Verb[];
  readonly subresources: Readonly<Record<string, Subresource>>;
  /** Key in `generated/definitions.ts`. */
  readonly type: string;
  readonly storage: StoragePlace;
  readonly columns: readonly Column[];
  /** One cell per column. `now` ends the ages. */
  cells(object: T, now: Date): readonly Cell[];
  /** The order of a list's rows in a Table, where it is not that of the names. */
  compareRows?(a: T, b: T): number;
  /** What a row of a Table says besides its cells: kubectl leaves out or marks rows by it. */
  rowConditions?(object: T): readonly RowCondition[];
  /** Values for field selectors, by path; absent paths cannot be selected. `metadata.name` and `.namespace` included. */
  selectableFields(object: T): Readonly<Record<string, string>>;
  /** A copy with every default set, as the server answers it. Idempotent. */
  withDefaults(object: T): T;
  /** A copy as it may be stored: status emptied, generation 1. Expects `metadata.uid` to be set. */
  prepareForCreate(object: T): T;
  /** A copy as it may replace `old`: parts that this (sub)resource does not write are `old`'s; generation counts spec changes. */
  prepareForUpdate(object: T, context: UpdateContext<T>): T;
  /** Mistakes of a new object, metadata included; empty when it may be stored. Expects defaults to be set. */
  validate(object: T): readonly FieldError[];
  /** Mistakes of a change, immutable fields included. */
  validateUpdate(object: T, context: UpdateContext<T>): readonly FieldError[];
  /** What of an object that may be stored is hardly meant, for `Warning` headers. `old` is undefined for a new one. */
  warnings?(object: T, old: T | undefined): readonly string[];
  /** Present where the subresource `scale` is served. */
  readonly scaling?: Scaling<T>;
  /** Converts the stored form to the served one; absent where both are the same. */
  readonly conversion?: {
    toServed(stored: KubernetesObject): T;
    toStored(served: T): KubernetesObject;
  };
  /** Sentence for the `Warning` header of every answer of a deprecated version. */
  readonly deprecationWarning?: string;
}
