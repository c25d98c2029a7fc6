/** Writes down who made a change by PUT, POST or a patch that says what to change. */
import type { KubernetesObject } from "../object.ts";
import { difference, emptySet, isEmptySet, union } from "./field-set.ts";
import {
  capped,
  idOf,
  isSameManaged,
  managedForUpdate,
  managedOf,
  nobody,
  withFirstOwner,
  withManaged,
} from "./managed.ts";
import type { Managed, Manager, Owner } from "./managed.ts";
import { fieldsOfNew } from "./new-fields.ts";
import { transfer } from "./ownership.ts";
import type { Change } from "./ownership.ts";
import type { Subject } from "./subject.ts";

export interface Writer {
  /** `fieldManager` of the request, or what its user agent begins with. */
  readonly name: string;
  /** RFC 3339 to the second. */
  readonly now: string;
}

/** The new object with its first owner. Entries that it brings along are kept. */
export function trackCreate<T extends KubernetesObject>(subject: Subject, object: T, writer: Writer): T {
  const isFirst = (object.metadata?.managedFields ?? []).length === 0 && subject.subresource === "";
  if (isFirst)
    return withFirstOwner(object, { ...managerOf(subject, writer), time: writer.now }, fieldsOfNew(subject, object));
  return trackedOver(subject, { live: {}, wanted: object }, writer);
}

/**
 * `wanted` with the owners of `live`, after what changed has passed to the writer. An object that nobody was recorded
 * for stays so: its first applier counts all of it as somebody's.
 */
export function trackUpdate<T extends KubernetesObject>(
  subject: Subject,
  { live, wanted }: { readonly live: KubernetesObject; readonly wanted: T },
  writer: Writer,
): T {
  const managed = managedForUpdate(live, wanted, subject.subresource);
  if (managed.size === 0) return withManaged(wanted, nobody);
  return trackedOver(subject, { live, wanted }, writer);
}

function trackedOver<T extends KubernetesObject>(
  subject: Subject,
  { live, wanted }: { readonly live: KubernetesObject; readonly wanted: T },
  writer: Writer,
): T {
  const managed = managedForUpdate(live, wanted, subject.subresource);
  const next = capped(passOn(subject, { before: live, after: wanted }, managed, writer));
  // The same list as before says so, and is not encoded anew.
  return withManaged(wanted, isUnchanged(next, managedOf(live)) ? managedOf(live) : next);
}

function isUnchanged(next: Managed, before: Managed): boolean {
  return isSameManaged(next, before) && [...next].every(([id, { time }]) => before.get(id)?.time === time);
}

/** The owners after the change. */
export function passOn(subject: Subject, change: Change, managed: Managed, writer: Writer): Managed {
  const manager = managerOf(subject, writer);
  const id = idOf(manager);
  const { managed: rest, comparison } = transfer(subject, change, managed, "");
  const taken = union(comparison.modified, comparison.added);
  const before = rest.get(id);
  const result = new Map<string, Owner>(rest);
  if (isEmptySet(taken)) return result;
  const fields = union(difference(before?.fields ?? emptySet, comparison.removed), taken);
  result.set(id, { ...manager, time: writer.now, fields });
  return result;
}

function managerOf({ apiVersion, subresource }: Subject, { name }: Writer): Manager {
  return { name, operation: "Update", apiVersion, subresource };
}
