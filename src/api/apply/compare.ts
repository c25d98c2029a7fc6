/** What a change did, field by field. */
import { own } from "../../lib/own/index.ts";
import { isJsonEqual } from "../../lib/equal/index.ts";
import { FieldSetBuilder } from "./field-set.ts";
import type { FieldSet } from "./field-set.ts";
import { isMap, itemsOf } from "./items.ts";
import type { JsonMap, ListShape } from "./items.ts";
import { fieldElement } from "./path-element.ts";
import { isPlainStruct } from "./plain-structs.ts";
import { fieldShapesOf } from "./shape.ts";
import type { Shape } from "./shape.ts";

/** A new object within an object is added itself, besides the fields in it. */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

interface Walk {
  readonly path: string[];
  readonly added: FieldSetBuilder;
  readonly modified: FieldSetBuilder;
  readonly removed: FieldSetBuilder;
}

/** Compares two objects of one type. The order of items that are known by keys does not count. */
export function compare(shape: Shape, before: unknown, after: unknown): Comparison {
  const walk: Walk = {
    path: [],
    added: new FieldSetBuilder(),
    modified: new FieldSetBuilder(),
    removed: new FieldSetBuilder(),
  };
  visit(walk, shape, before, after);
  return { added: walk.added.build(), modified: walk.modified.build(), removed: walk.removed.build() };
}

function visit(walk: Walk, shape: Shape, before: unknown, after: unknown): void {
  if (before === after) return;
  switch (shape.kind) {
    case "leaf":
      if (before !== undefined && after !== undefined && !isJsonEqual(before, after)) walk.modified.insert(walk.path);
      break;
    case "struct":
    case "map":
      visitFields(walk, shape, before, after);
      break;
    case "set":
    case "keyed":
      visitItems(walk, shape, before, after);
      break;
    default:
      throw new Error("Cannot compare: the shape is of no known kind");
  }
  if (walk.path.length === 0) return;
  if (before === undefined) walk.added.insert(walk.path);
  else if (after === undefined) walk.removed.insert(walk.path);
}

const nothing: JsonMap = {};

function visitFields(
  walk: Walk,
  shape: Extract<Shape, { readonly kind: "struct" | "map" }>,
  before: unknown,
  after: unknown,
): void {
  const fields = shape.kind === "struct" ? fieldShapesOf(shape.type) : undefined;
  const left = isMap(before) ? before : nothing;
  const right = isMap(after) ? after : nothing;
  const step = (key: string): void => {
    const inner = shape.kind === "map" ? shape.value : fields?.get(key);
    if (inner === undefined) return;
    // In Go such a part of an object is always there.
    const isThere = shape.kind === "struct" && isPlainStruct(shape.type, key);
    walk.path.push(fieldElement(key));
    visit(
      walk,
      inner,
      presentIn(inner, own(left, key)) ?? (isThere && before !== undefined ? nothing : undefined),
      presentIn(inner, own(right, key)) ?? (isThere && after !== undefined ? nothing : undefined),
    );
    walk.path.pop();
  };
  for (const key of Object.keys(left)) if (left[key] !== own(right, key)) step(key);
  for (const key of Object.keys(right)) if (!Object.hasOwn(left, key)) step(key);
}

/** A list whose items are owned one by one is nothing without items: Go does not even write it. */
function presentIn(shape: Shape, value: unknown): unknown {
  const isList = shape.kind === "set" || shape.kind === "keyed";
  return isList && Array.isArray(value) && value.length === 0 ? undefined : value;
}

function visitItems(walk: Walk, shape: ListShape, before: unknown, after: unknown): void {
  const left = itemsOf(shape, before);
  const right = itemsOf(shape, after);
  const step = (element: string, old: readonly unknown[], next: readonly unknown[]): void => {
    walk.path.push(element);
    // What cannot be told apart is compared as a whole.
    const isPlain = old.length <= 1 && next.length <= 1;
    if (isPlain) visit(walk, shape.kind === "keyed" ? shape.item : { kind: "leaf" }, old[0], next[0]);
    else if (!isJsonEqual(old, next)) {
      if (old.length === 0) walk.added.insert(walk.path);
      else if (next.length === 0) walk.removed.insert(walk.path);
      else walk.modified.insert(walk.path);
    }
    walk.path.pop();
  };
  for (const [element, old] of left) step(element, old, right.get(element) ?? []);
  for (const [element, next] of right) if (!left.has(element)) step(element, [], next);
}
