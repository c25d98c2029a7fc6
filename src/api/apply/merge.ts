/** Lays a configuration over an object, and takes fields out of one. Both leave alone what they are given. */
import type { FieldSet } from "./field-set.ts";
import { elementOf, isMap } from "./items.ts";
import type { ListShape } from "./items.ts";
import { fieldElement } from "./path-element.ts";
import { fieldShapesOf } from "./shape.ts";
import type { Shape } from "./shape.ts";

/** What `applied` sets is taken from it, all else from `live`. */
export function merge(shape: Shape, live: unknown, applied: unknown): unknown {
  if (applied === undefined) return live;
  if (live === undefined) return applied;
  switch (shape.kind) {
    case "leaf":
      return applied;
    case "struct":
    case "map": {
      if (!isMap(live) || !isMap(applied)) return applied;
      const result = new Map(Object.entries(live));
      for (const [key, value] of Object.entries(applied)) {
        const inner = shape.kind === "map" ? shape.value : fieldShapesOf(shape.type).get(key);
        result.set(key, inner === undefined ? value : merge(inner, result.get(key), value));
      }
      // fromEntries defines properties: `__proto__` does not set a prototype.
      return Object.fromEntries(result);
    }
    case "set":
    case "keyed":
      return Array.isArray(live) && Array.isArray(applied) ? mergeItems(shape, live, applied) : applied;
    default:
      throw new Error("Cannot merge: the shape is of no known kind");
  }
}

/**
 * Applied items stand in their own order; those of others stay in front of the item that they stood in front of:
 * live `a x b y`, applied `b a` gives `x b y a`.
 */
function mergeItems(shape: ListShape, live: readonly unknown[], applied: readonly unknown[]): unknown[] {
  const liveElements = live.map((item) => elementOf(shape, item));
  const appliedElements = applied.map((item) => elementOf(shape, item));
  const isApplied = new Set(appliedElements);
  const firstLive = new Map<string | undefined, number>();
  liveElements.forEach((element, index) => {
    if (!firstLive.has(element)) firstLive.set(element, index);
  });
  const result: unknown[] = [];
  let at = 0;
  const takeOthersUpTo = (end: number): void => {
    for (; at < end; at += 1) if (!isApplied.has(liveElements[at])) result.push(live[at]);
  };
  applied.forEach((item, index) => {
    const shared = appliedElements.slice(index).find((element) => firstLive.has(element));
    const position = shared === undefined ? undefined : firstLive.get(shared);
    takeOthersUpTo(position === undefined || position < at ? live.length : position);
    const own = firstLive.get(appliedElements[index]);
    result.push(own === undefined || shape.kind === "set" ? item : merge(shape.item, live[own], item));
    if (own !== undefined && own >= at) at = own + 1;
  });
  takeOthersUpTo(live.length);
  return result;
}

/** The value without the members of the set; undefined when nothing is left of what something was taken from. */
export function withoutFields(shape: Shape, value: unknown, set: FieldSet): unknown {
  if (set.children.size === 0) return value;
  switch (shape.kind) {
    case "leaf":
      return value;
    case "struct":
    case "map": {
      if (!isMap(value)) return value;
      let isChanged = false;
      const kept: [string, unknown][] = [];
      for (const [key, item] of Object.entries(value)) {
        const inner = shape.kind === "map" ? shape.value : fieldShapesOf(shape.type).get(key);
        const rest = remaining(inner, item, set.children.get(fieldElement(key)));
        if (rest !== item) isChanged = true;
        if (rest !== undefined) kept.push([key, rest]);
      }
      if (!isChanged) return value;
      return kept.length === 0 ? undefined : Object.fromEntries(kept);
    }
    case "set":
    case "keyed": {
      if (!Array.isArray(value)) return value;
      const inner: Shape = shape.kind === "keyed" ? shape.item : { kind: "leaf" };
      const kept = value.flatMap((item: unknown): unknown[] => {
        const rest = remaining(inner, item, set.children.get(elementOf(shape, item) ?? ""));
        return rest === undefined ? [] : [rest];
      });
      if (kept.length === value.length && kept.every((item, index) => item === value[index])) return value;
      return kept.length === 0 ? undefined : kept;
    }
    default:
      throw new Error("Cannot remove fields: the shape is of no known kind");
  }
}

function remaining(shape: Shape | undefined, item: unknown, node: FieldSet | undefined): unknown {
  if (node === undefined || shape === undefined) return item;
  return node.isMember ? undefined : withoutFields(shape, item, node);
}
