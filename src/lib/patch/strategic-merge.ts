/**
 * Kubernetes' strategic merge patch: a merge patch that knows of each list whether it is replaced whole or merged item
 * by item, and that carries directives in keys and items beginning with `$`.
 */
import { isJsonObject, ObjectBuilder, PatchError } from "./json-value.ts";
import type { JsonObject } from "./json-value.ts";

/** How one field is merged. */
export interface PatchField {
  /** Lists: item by item instead of whole. Objects merge unless `isReplaced`. */
  readonly isMerged: boolean;
  /** Objects: the patch's object takes the place of the old one. */
  readonly isReplaced: boolean;
  /** The field that identifies an item of a merged list; absent for lists of scalars. */
  readonly mergeKey?: string;
  /** Of the object, or of the list's items. Absent: plain JSON without lists that merge. */
  readonly schema?: PatchSchema;
}

export interface PatchSchema {
  fieldOf(name: string): PatchField | undefined;
}

const plain: PatchField = { isMerged: false, isReplaced: false };
const orderPrefix = "$setElementOrder/";
const deletionPrefix = "$deleteFromPrimitiveList/";

function malformed(message: string): PatchError {
  return new PatchError(message, true);
}

/** Applies the patch. Changes neither argument. Throws `PatchError` for directives that make no sense. */
export function applyStrategicMergePatch(target: unknown, patch: unknown, schema: PatchSchema | undefined): JsonObject {
  if (!isJsonObject(patch)) throw malformed("a strategic merge patch must be an object");
  return mergeObjects(isJsonObject(target) ? target : {}, patch, schema);
}

function mergeObjects(target: JsonObject, patch: JsonObject, schema: PatchSchema | undefined): JsonObject {
  const { $patch: directive, ...rest } = patch;
  if (directive === "replace") return mergeObjects({}, rest, schema);
  if (directive === "delete") return {};
  if (directive !== undefined && directive !== "merge") {
    throw malformed(`Unknown patch type: ${JSON.stringify(directive)} in map`);
  }
  const result = new ObjectBuilder(retained(target, rest));
  for (const [key, value] of Object.entries(rest)) {
    if (key === "$retainKeys" || key.startsWith(orderPrefix)) continue;
    if (key.startsWith(deletionPrefix)) {
      const field = key.slice(deletionPrefix.length);
      const kept = withoutScalars(result.get(field), value);
      if (kept !== undefined) result.set(field, kept);
      continue;
    }
    if (value === null) result.delete(key);
    else result.set(key, mergeValues(result.get(key), value, schema?.fieldOf(key) ?? plain));
  }
  for (const [key, order] of Object.entries(rest)) {
    if (!key.startsWith(orderPrefix)) continue;
    const field = key.slice(orderPrefix.length);
    const mergeKey = schema?.fieldOf(field)?.mergeKey;
    const list = result.get(field);
    if (!Array.isArray(order)) throw malformed("invalid patch format of setElementOrder list");
    if (!Array.isArray(list)) continue;
    checkOrder(rest[field], order, { field, mergeKey });
    result.set(field, ordered(list, order, { original: listOf(target[field]), mergeKey }));
  }
  return result.build();
}

/** `$retainKeys` names all keys that may stay. */
function retained(target: JsonObject, patch: JsonObject): JsonObject {
  const keys = patch["$retainKeys"];
  if (keys === undefined) return target;
  if (!Array.isArray(keys)) throw malformed("invalid patch format of retainKeys");
  const kept = new Set(keys);
  const stray = Object.keys(patch).find((key) => !key.startsWith("$") && !kept.has(key));
  if (stray !== undefined && patch[stray] !== null) {
    throw malformed(`the $retainKeys list does not hold the key ${JSON.stringify(stray)} that the patch sets`);
  }
  return Object.fromEntries(Object.entries(target).filter(([key]) => kept.has(key)));
}

function mergeValues(target: unknown, patch: unknown, field: PatchField): unknown {
  if (isJsonObject(patch)) {
    const base = isJsonObject(target) && !field.isReplaced ? target : {};
    return mergeObjects(base, patch, field.schema);
  }
  if (Array.isArray(patch)) return field.isMerged ? mergeLists(listOf(target), patch, field) : withoutDirectives(patch);
  return patch;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function withoutDirectives(list: readonly unknown[]): readonly unknown[] {
  return list.filter((item) => !isJsonObject(item) || item["$patch"] === undefined);
}

/** What tells items apart: the merge key's value, or the scalar itself. */
function identityOf(item: unknown, mergeKey: string | undefined): string {
  return JSON.stringify(mergeKey !== undefined && isJsonObject(item) ? item[mergeKey] : item) ?? "";
}

function mergeLists(target: readonly unknown[], patch: readonly unknown[], field: PatchField): readonly unknown[] {
  const { mergeKey, schema } = field;
  if (patch.some((item) => isJsonObject(item) && item["$patch"] === "replace")) return withoutDirectives(patch);
  const itemField: PatchField = { ...plain, ...(schema === undefined ? {} : { schema }) };
  const merged = new Map(target.map((item) => [identityOf(item, mergeKey), item]));
  for (const item of patch) {
    if (isJsonObject(item)) {
      if (mergeKey === undefined) throw malformed("cannot merge lists of objects without a merge key");
      if (item[mergeKey] === undefined) {
        throw malformed(`map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`);
      }
    }
    const identity = identityOf(item, mergeKey);
    if (isJsonObject(item) && item["$patch"] === "delete") merged.delete(identity);
    else merged.set(identity, mergeValues(merged.get(identity), item, itemField));
  }
  return ordered([...merged.values()], withoutDirectives(patch), { original: target, mergeKey });
}

function withoutScalars(target: unknown, deletions: unknown): readonly unknown[] | undefined {
  if (!Array.isArray(deletions)) throw malformed("invalid patch format of primitive list");
  if (!Array.isArray(target)) return undefined;
  const gone = new Set(deletions.map((item) => identityOf(item, undefined)));
  return target.filter((item) => !gone.has(identityOf(item, undefined)));
}

interface OrderContext {
  readonly field: string;
  readonly mergeKey: string | undefined;
}

/** Items of the patch must stand in the order that the patch itself demands. */
function checkOrder(patch: unknown, order: readonly unknown[], { field, mergeKey }: OrderContext): void {
  const places = new Map(order.map((item, index) => [identityOf(item, mergeKey), index]));
  let last = -1;
  for (const item of listOf(patch)) {
    if (isJsonObject(item) && item["$patch"] !== undefined) continue;
    const place = places.get(identityOf(item, mergeKey)) ?? -1;
    if (place <= last) {
      throw malformed(`the order of the patch's list ${JSON.stringify(field)} does not match ${orderPrefix}${field}`);
    }
    last = place;
  }
}

interface Original {
  readonly original: readonly unknown[];
  readonly mergeKey: string | undefined;
}

/**
 * Items named in `order` in that order; items that only the server has keep their places before those that came after
 * them in the original list, and else follow. So new items come first, as upstream has it.
 */
function ordered(
  list: readonly unknown[],
  order: readonly unknown[],
  { original, mergeKey }: Original,
): readonly unknown[] {
  const wanted = new Map(order.map((item, index) => [identityOf(item, mergeKey), index]));
  const before = new Map(original.map((item, index) => [identityOf(item, mergeKey), index]));
  const placeIn = (places: ReadonlyMap<string, number>, item: unknown): number =>
    places.get(identityOf(item, mergeKey)) ?? -1;
  const named = list
    .filter((item) => placeIn(wanted, item) >= 0)
    .toSorted((a, b) => placeIn(wanted, a) - placeIn(wanted, b));
  const others = list
    .filter((item) => placeIn(wanted, item) < 0)
    .toSorted((a, b) => placeIn(before, a) - placeIn(before, b));
  const result: unknown[] = [];
  let next = 0;
  for (const item of named) {
    const place = placeIn(before, item);
    while (next < others.length) {
      const other = placeIn(before, others[next]);
      if (place < 0 || other < 0 || place < other) break;
      result.push(others[next]);
      next += 1;
    }
    result.push(item);
  }
  return [...result, ...others.slice(next)];
}
