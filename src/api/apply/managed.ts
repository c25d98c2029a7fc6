/** `metadata.managedFields`: who owns which fields of an object, decoded. */
import type { ManagedFieldsEntry, ObjectMeta } from "../generated/types.ts";
import type { KubernetesObject } from "../object.ts";
import { emptySet, isEmptySet, isSameSet, union } from "./field-set.ts";
import type { FieldSet } from "./field-set.ts";
import { decodeFields, encodeFields, FieldsError } from "./fields-v1.ts";
import type { Json } from "./fields-v1.ts";

/** Someone who writes: by applying a configuration or by changing the object, through one version and subresource. */
export interface Manager {
  readonly name: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  /** "" for the object itself. */
  readonly subresource: string;
}

export interface Owner extends Manager {
  /** RFC 3339, of the last change. */
  readonly time: string | undefined;
  readonly fields: FieldSet;
}

/** By `idOf` its owner. */
export type Managed = ReadonlyMap<string, Owner>;

export const nobody: Managed = new Map();

/** Upstream's limit of owners that update; the oldest are then counted as one. */
const updaterLimit = 10;
const ancientName = "ancient-changes";

/** An applier is the same whatever version it applies. */
export function idOf({ name, operation, apiVersion, subresource }: Manager): string {
  return JSON.stringify([name, operation, operation === "Apply" ? "" : apiVersion, subresource]);
}

const decoded = new WeakMap<readonly ManagedFieldsEntry[], Managed>();

/** Nobody where the entries cannot be read. Expects that they are not changed afterwards. */
export function managedOf(object: KubernetesObject): Managed {
  const entries = object.metadata?.managedFields;
  if (entries === undefined) return nobody;
  const known = decoded.get(entries);
  if (known !== undefined) return known;
  const managed = decodeEntries(entries);
  decoded.set(entries, managed);
  return managed;
}

function decodeEntries(entries: readonly ManagedFieldsEntry[]): Managed {
  const managed = new Map<string, Owner>();
  try {
    for (const entry of entries) {
      const { manager: name = "", operation, apiVersion = "", subresource = "", time, fieldsType = "FieldsV1" } = entry;
      if ((operation !== "Apply" && operation !== "Update") || fieldsType !== "FieldsV1") return nobody;
      const fields = decodeFields(entry.fieldsV1);
      const owner: Owner = { name, operation, apiVersion, subresource, time, fields };
      managed.set(idOf(owner), owner);
    }
  } catch (error) {
    if (error instanceof FieldsError) return nobody;
    throw error;
  }
  return managed;
}

/** A client forgets all owners with one empty entry; an empty list is what clients send that know nothing of owners. */
function isReset(entries: readonly ManagedFieldsEntry[] | undefined): boolean {
  const [only] = entries ?? [];
  return entries?.length === 1 && only !== undefined && Object.keys(only).length === 0;
}

/** The owners to start from when `wanted` replaces `live`: clients may change the list, but seldom mean to. */
export function managedForUpdate(live: KubernetesObject, wanted: KubernetesObject, subresource: string): Managed {
  if (subresource !== "" || wanted.metadata?.managedFields === live.metadata?.managedFields) return managedOf(live);
  if (isReset(wanted.metadata?.managedFields)) return nobody;
  const managed = managedOf(wanted);
  return managed.size === 0 ? managedOf(live) : managed;
}

/** The object with its owners written down; entries of the old list stand for themselves where nothing changed. */
export function withManaged<T extends KubernetesObject>(object: T, managed: Managed): T {
  const { managedFields: _old, ...metadata } = object.metadata ?? {};
  if (managed.size === 0) return { ...object, metadata };
  const managedFields = entriesOf(managed);
  return { ...object, metadata: { ...metadata, managedFields } satisfies ObjectMeta };
}

/** The object with its only owner; without any where there is nothing to own. */
export function withFirstOwner<T extends KubernetesObject>(
  object: T,
  owner: Manager & Pick<Owner, "time">,
  fieldsV1: Json | undefined,
): T {
  const { managedFields: _old, ...metadata } = object.metadata ?? {};
  if (fieldsV1 === undefined) return { ...object, metadata };
  return { ...object, metadata: { ...metadata, managedFields: [entryOf(owner, fieldsV1)] } };
}

const encoded = new WeakMap<Managed, readonly ManagedFieldsEntry[]>();

function entriesOf(managed: Managed): readonly ManagedFieldsEntry[] {
  const known = encoded.get(managed);
  if (known !== undefined) return known;
  const entries = [...managed.values()].toSorted(byAge).map((owner) => entryOf(owner, encodeFields(owner.fields)));
  encoded.set(managed, entries);
  decoded.set(entries, managed);
  return entries;
}

function entryOf(
  { name, operation, apiVersion, subresource, time }: Manager & Pick<Owner, "time">,
  fieldsV1: Json,
): ManagedFieldsEntry {
  return {
    manager: name,
    operation,
    apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: "FieldsV1",
    fieldsV1,
    ...(subresource === "" ? {} : { subresource }),
  };
}

/** Appliers first, then by time. */
function byAge(left: Owner, right: Owner): number {
  const keys = (owner: Owner): readonly string[] => [
    owner.operation,
    owner.time ?? "",
    owner.name,
    owner.apiVersion,
    owner.subresource,
  ];
  const rightKeys = keys(right);
  for (const [index, key] of keys(left).entries()) {
    const other = rightKeys[index] ?? "";
    if (key !== other) return key < other ? -1 : 1;
  }
  return 0;
}

/** The owners with at most as many that update as upstream keeps apart. */
export function capped(managed: Managed): Managed {
  const updaters = [...managed.values()].filter(({ operation }) => operation === "Update").toSorted(byAge);
  let excess = updaters.length - updaterLimit;
  if (excess <= 0) return managed;
  const result = new Map(managed);
  for (const owner of updaters) {
    if (excess <= 0) break;
    const bucket: Manager = {
      name: ancientName,
      operation: "Update",
      apiVersion: owner.apiVersion,
      subresource: owner.subresource,
    };
    const id = idOf(bucket);
    if (owner.name === ancientName) continue;
    const before = result.get(id);
    result.delete(idOf(owner));
    if (before !== undefined) excess -= 1;
    const fields = union(before?.fields ?? emptySet, owner.fields);
    result.set(id, { ...bucket, time: owner.time, fields });
  }
  return result;
}

/** Owners without those that own nothing. */
export function withoutEmpty(managed: ReadonlyMap<string, Owner>): Managed {
  return new Map([...managed].filter(([, { fields }]) => !isEmptySet(fields)));
}

export function isSameManaged(left: Managed, right: Managed): boolean {
  if (left === right) return true;
  return (
    left.size === right.size &&
    [...left].every(([id, owner]) => {
      const other = right.get(id);
      return other !== undefined && owner.apiVersion === other.apiVersion && isSameSet(owner.fields, other.fields);
    })
  );
}
