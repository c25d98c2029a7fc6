/** Completes a resource's own part to a full definition: what nearly all kinds share is written here once. */
import { isJsonEqual } from "../../lib/equal/index.ts";
import { jsonCopy } from "../../lib/json-copy/index.ts";
import type { FieldError } from "../field-error.ts";
import type { KubernetesObject, Resource } from "../object.ts";
import { defaultCells, defaultColumns } from "./columns.ts";
import type {
  Cell,
  Column,
  Draft,
  ResourceDefinition,
  RowCondition,
  Scaling,
  StoragePlace,
  Subresource,
  UpdateContext,
  Verb,
} from "./definition.ts";
import { validateMetadata, validateMetadataUpdate } from "./metadata.ts";
import type { NameRule } from "./metadata.ts";

/** The parts of a kind that differ from most. All functions are pure but for the draft they are given. */
export interface ResourceOptions<T extends KubernetesObject> {
  readonly singular?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  /** All eight where absent. */
  readonly verbs?: readonly Verb[];
  /** Besides `status`, which `hasStatus` adds. */
  readonly subresources?: Readonly<Record<string, Subresource>>;
  readonly type?: string;
  readonly storage?: StoragePlace;
  readonly nameRule?: NameRule;
  /** The kind has a status of its own, written only through the subresource `status`. */
  readonly hasStatus?: boolean;
  /** Subresources besides `status` that write the status and nothing else. */
  readonly alsoWriteStatus?: readonly string[];
  /** The creator may set the status (a kubelet registers its node with one). */
  readonly keepsStatusOnCreate?: boolean;
  /** `metadata.generation` counts the changes of everything but metadata and status. */
  readonly countsGeneration?: boolean;
  readonly columns?: readonly Column[];
  cells?(object: T, now: Date): readonly Cell[];
  /** The order of a list's rows, where it is not that of the names. */
  compareRows?(a: T, b: T): number;
  rowConditions?(object: T): readonly RowCondition[];
  /** Selectable besides `metadata.name` and `metadata.namespace`. */
  fields?(object: T): Readonly<Record<string, string>>;
  defaults?(draft: Draft<T>): void;
  /** After status was emptied and generation set. */
  onCreate?(draft: Draft<T>): void;
  /** After the parts that the (sub)resource does not write were taken from the old object. */
  onUpdate?(draft: Draft<T>, context: UpdateContext<T>): void;
  /** Besides metadata. */
  validate?(object: T): readonly FieldError[];
  /** Of new objects only, besides `validate`. */
  validateCreate?(object: T): readonly FieldError[];
  /** Besides metadata; `validate` runs too, except for the subresource `status`. */
  validateUpdate?(object: T, context: UpdateContext<T>): readonly FieldError[];
  /** What of an object that may be stored is hardly meant. `old` is undefined for a new one. */
  warnings?(object: T, old: T | undefined): readonly string[];
  /** Sentence for the `Warning` header of every answer. */
  readonly deprecationWarning?: string;
  readonly scaling?: Scaling<T>;
}

const allVerbs: readonly Verb[] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

const objectVerbs: readonly Verb[] = ["get", "patch", "update"];

interface Parts {
  metadata?: { generation?: number; ownerReferences?: unknown };
  status?: unknown;
}

/** The view of a draft in which status and generation can be handled for every kind alike. */
function partsOf(draft: KubernetesObject): Parts {
  return draft;
}

function withoutMetadataAndStatus(object: KubernetesObject): Record<string, unknown> {
  const { metadata: _metadata, status: _status, ...rest } = object as KubernetesObject & { status?: unknown };
  return rest;
}

export function defineResource<T extends KubernetesObject>(
  resource: Resource<T>,
  options: ResourceOptions<NoInfer<T>>,
): ResourceDefinition<T> {
  const { group, plural, kind, isNamespaced } = resource;
  const { hasStatus = false, countsGeneration = false, nameRule = "subdomain", scaling } = options;
  const copy = (object: T): Draft<T> => copyOf(object) as Draft<T>;

  function prepareForCreate(object: T): T {
    // A copy to the leaves was made for the defaults.
    const draft = options.onCreate === undefined ? shallowCopyOf(object) : copy(object);
    const parts = partsOf(draft);
    if (hasStatus && options.keepsStatusOnCreate !== true) delete parts.status;
    if (parts.metadata) {
      delete parts.metadata.generation;
      if (countsGeneration) parts.metadata.generation = 1;
    }
    options.onCreate?.(draft as Draft<T>);
    return draft as T;
  }

  function prepareForUpdate(object: T, context: UpdateContext<T>): T {
    const { old, subresource } = context;
    const writesStatus = subresource === "status" || options.alsoWriteStatus?.includes(subresource) === true;
    const draft = copy(writesStatus ? { ...old, metadata: object.metadata, ...statusOf(object) } : object);
    const parts = partsOf(draft);
    if (writesStatus) {
      if (statusOf(object).status === undefined) delete parts.status;
    } else if (hasStatus) {
      const { status } = statusOf(old);
      if (status === undefined) delete parts.status;
      else parts.status = jsonCopy(status);
    }
    options.onUpdate?.(draft, context);
    if (parts.metadata) {
      const generation = old.metadata?.generation;
      const changed = countsGeneration && !isJsonEqual(withoutMetadataAndStatus(draft), withoutMetadataAndStatus(old));
      if (generation === undefined && !countsGeneration) delete parts.metadata.generation;
      else parts.metadata.generation = (generation ?? 0) + (changed ? 1 : 0);
    }
    return draft as T;
  }

  return {
    ...resource,
    singular: options.singular ?? kind.toLowerCase(),
    shortNames: options.shortNames ?? [],
    categories: options.categories ?? [],
    verbs: options.verbs ?? allVerbs,
    subresources: {
      ...(hasStatus ? { status: { style: "object", verbs: objectVerbs, kind } } : {}),
      ...options.subresources,
    },
    type: options.type ?? kind,
    storage: options.storage ?? { group, plural },
    columns: options.columns ?? defaultColumns,
    cells: (object, now) => options.cells?.(object, now) ?? defaultCells(object),
    ...(options.compareRows === undefined ? {} : { compareRows: (a: T, b: T) => options.compareRows?.(a, b) ?? 0 }),
    rowConditions: (object) => options.rowConditions?.(object) ?? [],
    selectableFields: (object) => ({
      "metadata.name": object.metadata?.name ?? "",
      ...(isNamespaced ? { "metadata.namespace": object.metadata?.namespace ?? "" } : {}),
      ...options.fields?.(object),
    }),
    withDefaults(object) {
      const draft = copy(object);
      options.defaults?.(draft);
      return draft as T;
    },
    prepareForCreate,
    prepareForUpdate,
    validate: (object) => [
      ...validateMetadata(object, isNamespaced, nameRule),
      ...(options.validate?.(object) ?? []),
      ...(options.validateCreate?.(object) ?? []),
    ],
    validateUpdate: (object, context) => [
      ...validateMetadataUpdate(object, context.old),
      ...(context.subresource === "status" ? [] : (options.validate?.(object) ?? [])),
      ...(options.validateUpdate?.(object, context) ?? []),
    ],
    warnings: (object, old) => options.warnings?.(object, old) ?? [],
    ...(scaling === undefined ? {} : { scaling }),
    ...(options.deprecationWarning === undefined ? {} : { deprecationWarning: options.deprecationWarning }),
  };
}

/** To be changed anywhere but in the list of its fields' owners: no kind touches it, and its parts are shared by many. */
function copyOf<T extends KubernetesObject>(object: T): T {
  const owners = object.metadata?.managedFields;
  if (owners === undefined) return jsonCopy(object);
  const { managedFields: _owners, ...metadata } = object.metadata ?? {};
  return { ...jsonCopy({ ...object, metadata: {} }), metadata: { ...jsonCopy(metadata), managedFields: owners } };
}

/** To be changed at its top and in `metadata` itself. */
function shallowCopyOf<T extends KubernetesObject>(object: T): T {
  return { ...object, metadata: { ...object.metadata } };
}

function statusOf(object: KubernetesObject): { readonly status?: unknown } {
  const { status } = object as { readonly status?: unknown };
  return status === undefined ? {} : { status };
}
