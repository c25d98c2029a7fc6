/** Which fields a configuration sets. */
import { emptySet, isEmptySet, leafSet, setOf } from "./field-set.ts";
import type { FieldSet } from "./field-set.ts";
import { isMap, itemsOf } from "./items.ts";
import { fieldElement } from "./path-element.ts";
import { fieldShapesOf } from "./shape.ts";
import type { Shape } from "./shape.ts";

/** Fields that the type does not have are left out. */
export function fieldSetOf(shape: Shape, value: unknown): FieldSet {
  switch (shape.kind) {
    case "leaf":
      return leafSet;
    case "struct":
    case "map": {
      const children = new Map<string, FieldSet>();
      for (const [key, item] of Object.entries(isMap(value) ? value : {})) {
        const inner = shape.kind === "map" ? shape.value : fieldShapesOf(shape.type).get(key);
        if (inner === undefined) continue;
        const node = fieldSetOf(inner, item);
        // Keys of maps are data and so fields in themselves; of structs only what is in them, unless that is nothing.
        const isMember = node.isMember || shape.kind === "map" || (isMap(item) && Object.keys(item).length === 0);
        const whole = setOf(isMember, node.children);
        if (!isEmptySet(whole)) children.set(fieldElement(key), whole);
      }
      return setOf(false, children);
    }
    case "set":
    case "keyed": {
      const children = new Map<string, FieldSet>();
      for (const [element, items] of itemsOf(shape, value)) {
        const inner = shape.kind === "keyed" && items.length === 1 ? fieldSetOf(shape.item, items[0]) : emptySet;
        children.set(element, setOf(true, inner.children));
      }
      return setOf(false, children);
    }
    default:
      throw new Error("Cannot list the fields: the shape is of no known kind");
  }
}

/** The set with every named field of a struct as a member that has members below it. */
export function withNamedFields(shape: Shape, set: FieldSet): FieldSet {
  if (set.children.size === 0) return set;
  const children = new Map<string, FieldSet>();
  for (const [element, node] of set.children) {
    const inner = innerShape(shape, element);
    const named = inner === undefined ? node : withNamedFields(inner, node);
    const isNamed = shape.kind === "struct" && inner !== undefined;
    children.set(element, setOf(named.isMember || isNamed, named.children));
  }
  return setOf(set.isMember, children);
}

function innerShape(shape: Shape, element: string): Shape | undefined {
  switch (shape.kind) {
    case "struct":
      return element.startsWith("f:") ? fieldShapesOf(shape.type).get(element.slice(2)) : undefined;
    case "map":
      return shape.value;
    case "keyed":
      return shape.item;
    case "set":
    case "leaf":
      return undefined;
    default:
      return undefined;
  }
}
