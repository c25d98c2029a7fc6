/** What a change does to the owners of the fields it touches. */
import type { KubernetesObject } from "../object.ts";
import { compare } from "./compare.ts";
import type { Comparison } from "./compare.ts";
import { difference, intersection, isEmptySet, pathsOf, union } from "./field-set.ts";
import { withoutEmpty } from "./managed.ts";
import type { Managed, Owner } from "./managed.ts";
import { ownable, ownPart, shapeOfSubject } from "./subject.ts";
import type { Subject } from "./subject.ts";
import { shapeOfType } from "./shape.ts";

/** A field of the change that someone else owns. */
export interface Conflict {
  readonly owner: Owner;
  readonly path: readonly string[];
}

export interface Change {
  readonly before: KubernetesObject;
  readonly after: KubernetesObject;
}

export interface Transfer {
  /** Without owners that are left with nothing. */
  readonly managed: Managed;
  /** What the others owned of the fields that changed; they own it no longer. */
  readonly conflicts: readonly Conflict[];
  /** In the subject's own version. */
  readonly comparison: Comparison;
}

/** Takes the changed and the removed fields from all owners but `writer`, an id. */
export function transfer(subject: Subject, change: Change, managed: Managed, writer: string): Transfer {
  // The other part, often the larger one, need not be compared.
  const before = ownPart(subject, change.before);
  const after = ownPart(subject, change.after);
  const comparison = partOf(subject, compare(shapeOfSubject(subject), before, after));
  const conflicts: Conflict[] = [];
  const result = new Map<string, Owner>();
  const byVersion = new Map<string, Comparison | undefined>([[subject.apiVersion, comparison]]);
  for (const [id, owner] of managed) {
    if (id === writer) {
      result.set(id, owner);
      continue;
    }
    if (!byVersion.has(owner.apiVersion)) byVersion.set(owner.apiVersion, compareIn(subject, change, owner.apiVersion));
    const seen = byVersion.get(owner.apiVersion);
    // Nobody can own fields of a version that is gone.
    if (seen === undefined) continue;
    const lost = intersection(owner.fields, union(seen.modified, seen.added));
    for (const path of pathsOf(lost)) conflicts.push({ owner, path });
    const fields = difference(difference(owner.fields, lost), seen.removed);
    result.set(id, fields === owner.fields ? owner : { ...owner, fields });
  }
  return { managed: withoutEmpty(result), conflicts, comparison };
}

function compareIn(subject: Subject, { before, after }: Change, apiVersion: string): Comparison | undefined {
  const old = subject.inVersion(before, apiVersion);
  const next = subject.inVersion(after, apiVersion);
  if (old === undefined || next === undefined) return undefined;
  return partOf(subject, compare(shapeOfType(old.type), old.object, next.object));
}

/** What is not written through the subject's part did not change, whatever the client sent. */
function partOf(subject: Subject, { added, modified, removed }: Comparison): Comparison {
  return { added: ownable(subject, added), modified: ownable(subject, modified), removed: ownable(subject, removed) };
}

export function isNoChange({ added, modified, removed }: Comparison): boolean {
  return isEmptySet(added) && isEmptySet(modified) && isEmptySet(removed);
}
