/** Server-side apply: lays a configuration over an object and keeps the books of who owns what. */
import type { KubernetesObject } from "../object.ts";
import { applyConflict } from "./conflict-status.ts";
import { fieldSetOf, withNamedFields } from "./field-set-of.ts";
import { difference, emptySet, intersection, isEmptySet, isSameSet, setOfPaths, union } from "./field-set.ts";
import type { FieldSet } from "./field-set.ts";
import { kubectlManager, lastAppliedFields, withLastApplied } from "./last-applied.ts";
import { idOf, managedOf, withManaged } from "./managed.ts";
import type { Managed, Manager, Owner } from "./managed.ts";
import { merge, withoutFields } from "./merge.ts";
import { isNoChange, transfer } from "./ownership.ts";
import { shapeOfType } from "./shape.ts";
import { ownable, ownPart, shapeOfSubject } from "./subject.ts";
import type { Converted, Subject } from "./subject.ts";
import { passOn } from "./track.ts";
import type { Writer } from "./track.ts";

export interface ApplyRequest {
  /** As stored; `undefined` when there is none yet. */
  readonly live: KubernetesObject | undefined;
  /** Of `readConfiguration`. */
  readonly configuration: KubernetesObject;
  /** Takes the fields of others. */
  readonly isForced: boolean;
  readonly writer: Writer;
}

/** What no configuration gives up by not naming it. */
const identity = setOfPaths([["f:metadata"]]);

/** Owns what an object had before anybody was recorded. */
const beforeFirstApply = "before-first-apply";

/**
 * The object as the configuration wants it, with `managedFields`; defaults are not set yet. The same object as `live`
 * when there is nothing to do. Throws `ApiError` 409 for fields of others.
 */
export function applyConfiguration(subject: Subject, request: ApplyRequest): KubernetesObject {
  const { writer } = request;
  const configuration = ownPart(subject, request.configuration);
  const live = request.live ?? {};
  const managed = ownersOf(subject, request);
  const manager: Manager = {
    name: writer.name,
    operation: "Apply",
    apiVersion: subject.apiVersion,
    subresource: subject.subresource,
  };
  const id = idOf(manager);
  const last = managed.get(id);
  const shape = shapeOfSubject(subject);
  const all = union(fieldSetOf(shape, configuration), identity);
  const fields = ownable(subject, all);
  const owner: Owner = { ...manager, time: last?.time, fields };
  // While things are taken out, a name counts as wanted like any other field.
  const claimed: Managed = new Map([...managed, [id, { ...owner, fields: all }]]);
  const merged = merge(shape, live, configuration) as KubernetesObject;
  const pruned = last === undefined ? merged : prune(subject, merged, claimed, last);
  const { managed: rest, conflicts, comparison } = transfer(subject, { before: live, after: pruned }, claimed, id);
  if (!request.isForced && conflicts.length > 0) {
    const allowed = writer.name === kubectlManager ? lastAppliedFields(subject, live) : emptySet;
    const refused = conflicts.filter(({ path }) => isEmptySet(intersection(setOfPaths([path]), allowed)));
    if (refused.length > 0) throw applyConflict(refused);
  }

  const isSame =
    isNoChange(comparison) &&
    isSameSet(last?.fields ?? emptySet, fields) &&
    (last === undefined || last.apiVersion === owner.apiVersion);
  if (isSame && request.live !== undefined) return request.live;
  const next = new Map(rest);
  // As upstream, who takes a share in what is there already changes nothing at any time.
  const isShare = isNoChange(comparison) && request.live !== undefined;
  next.set(id, isShare ? owner : { ...owner, time: writer.now });
  if (isEmptySet(fields)) next.delete(id);
  const result = writer.name === kubectlManager ? withLastApplied(pruned, configuration) : pruned;
  return withManaged(result, next);
}

/** What was there before anybody was recorded belongs to a manager of that name. */
function ownersOf(subject: Subject, { live, writer }: ApplyRequest): Managed {
  if (live === undefined) return new Map();
  const managed = managedOf(live);
  if (managed.size > 0) return managed;
  const { managedFields: _none, ...metadata } = live.metadata ?? {};
  const change = { before: {}, after: { ...live, metadata } };
  return passOn(subject, change, managed, { name: beforeFirstApply, now: writer.now });
}

/** Takes out what the manager had applied before, applies no longer, and nobody else owns. */
function prune(subject: Subject, merged: KubernetesObject, managed: Managed, last: Owner): KubernetesObject {
  if (isEmptySet(last.fields)) return merged;
  // A field that another version of the kind calls otherwise is taken out in that version.
  if (last.apiVersion !== subject.apiVersion) {
    const old = subject.inVersion(merged, last.apiVersion);
    if (old === undefined) return merged;
    const inOld: Subject = { ...subject, type: old.type, apiVersion: last.apiVersion };
    const pruned = pruneIn(inOld, old.object, managed, last);
    return pruned === old.object ? merged : (subject.inVersion(pruned, subject.apiVersion)?.object ?? merged);
  }
  return pruneIn(subject, merged, managed, last);
}

function pruneIn(subject: Subject, merged: KubernetesObject, managed: Managed, last: Owner): KubernetesObject {
  const shape = shapeOfSubject(subject);
  const dropped = withNamedFields(shape, last.fields);
  const all = withNamedFields(shape, fieldSetOf(shape, merged));
  const fieldsOf = (object: unknown): FieldSet => withNamedFields(shape, fieldSetOf(shape, object));
  let pruned = withoutFields(shape, merged, dropped);
  for (const [version, owned] of ownedByVersion(managed)) {
    if (version === subject.apiVersion) {
      const kept = union(fieldsOf(pruned), withNamedFields(shape, owned));
      pruned = withoutFields(shape, merged, difference(all, kept));
    } else pruned = withBack(subject, { merged, pruned, owned, version });
  }
  // What hangs below a field of others was not the manager's to take.
  const lost = intersection(difference(all, fieldsOf(pruned)), dropped);
  return withoutFields(shape, merged, lost) as KubernetesObject;
}

/** `pruned` with what owners in another version have of `merged`. */
function withBack(
  subject: Subject,
  options: {
    readonly merged: KubernetesObject;
    readonly pruned: unknown;
    readonly owned: FieldSet;
    readonly version: string;
  },
): unknown {
  const whole = subject.inVersion(options.merged, options.version);
  const part = subject.inVersion(options.pruned as KubernetesObject, options.version);
  if (whole === undefined || part === undefined) return options.pruned;
  const shape = shapeOfType(whole.type);
  const named = (set: FieldSet): FieldSet => withNamedFields(shape, set);
  const kept = union(named(fieldSetOf(shape, part.object)), named(options.owned));
  const object = withoutFields(shape, whole.object, difference(named(fieldSetOf(shape, whole.object)), kept));
  const back: Converted | undefined = subject.inVersion(object as KubernetesObject, subject.apiVersion);
  return back?.object ?? options.pruned;
}

function ownedByVersion(managed: Managed): ReadonlyMap<string, FieldSet> {
  const owned = new Map<string, FieldSet>();
  for (const { apiVersion, fields } of managed.values()) {
    owned.set(apiVersion, union(owned.get(apiVersion) ?? emptySet, fields));
  }
  return owned;
}
