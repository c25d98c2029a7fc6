/**
 * The fields of a new object as `fieldsV1`. They are what `compare` finds against nothing; every creation asks for them,
 * so they are written straight from the object, without the sets in between.
 */
import { isJsonEqual } from "../../lib/equal/index.ts";
import type { KubernetesObject } from "../object.ts";
import { fieldsFromText } from "./fields-v1.ts";
import type { Json } from "./fields-v1.ts";
import { isMap, itemsOf } from "./items.ts";
import type { JsonMap, ListShape } from "./items.ts";
import { fieldElement } from "./path-element.ts";
import { isPlainStruct } from "./plain-structs.ts";
import { fieldShapesOf } from "./shape.ts";
import type { Shape } from "./shape.ts";
import { ownedParts, shapeOfSubject } from "./subject.ts";
import type { Subject } from "./subject.ts";

/** Undefined where the object has nothing that anyone could own. */
export function fieldsOfNew(subject: Subject, object: KubernetesObject): Json | undefined {
  const text = contentOf(shapeOfSubject(subject), ownedParts(subject, object), true);
  return text === "" ? undefined : fieldsFromText(`{${text}}`);
}

/** The members of the node of `value`. `isThere`: its parent had it from the start, so only what is in it is new. */
function contentOf(shape: Shape, value: unknown, isThere: boolean): string {
  switch (shape.kind) {
    case "leaf":
      return "";
    case "struct":
    case "map":
      return isMap(value) ? fieldsText(shape, value, isThere) : "";
    case "set":
    case "keyed":
      return itemsText(shape, value);
    default:
      throw new Error("Cannot list the fields: the shape is of no known kind");
  }
}

const nothing: JsonMap = {};

function fieldsText(
  shape: Extract<Shape, { readonly kind: "struct" | "map" }>,
  map: JsonMap,
  isThere: boolean,
): string {
  const fields = shape.kind === "struct" ? fieldShapesOf(shape.type) : undefined;
  let text = "";
  for (const key of inOrder(Object.keys(map))) {
    const inner = shape.kind === "map" ? shape.value : fields?.get(key);
    if (inner === undefined) continue;
    const isPlain = shape.kind === "struct" && isPlainStruct(shape.type, key);
    const value = (isEmptyList(inner, map[key]) ? undefined : map[key]) ?? (isPlain ? nothing : undefined);
    const wasThere = isPlain && isThere;
    if (value === undefined || (wasThere && value === nothing)) continue;
    const isNew = !wasThere || (inner.kind === "leaf" && !isJsonEqual(nothing, value));
    text += nodeText(fieldElement(key), isNew, contentOf(inner, value, wasThere));
  }
  return text.slice(0, -1);
}

/** Most objects are written in order. */
function inOrder(keys: readonly string[]): readonly string[] {
  const isSorted = keys.every((key, index) => index === 0 || (keys[index - 1] ?? "") < key);
  return isSorted ? keys : keys.toSorted();
}

function itemsText(shape: ListShape, list: unknown): string {
  let text = "";
  for (const [element, items] of [...itemsOf(shape, list)].toSorted(([left], [right]) => (left < right ? -1 : 1))) {
    const isOne = shape.kind === "keyed" && items.length === 1;
    text += nodeText(element, true, isOne ? contentOf(shape.item, items[0], false) : "");
  }
  return text.slice(0, -1);
}

/** A member with its comma. */
function nodeText(element: string, isMember: boolean, content: string): string {
  if (content === "") return isMember ? `${JSON.stringify(element)}:{},` : "";
  return `${JSON.stringify(element)}:{${isMember ? '".":{},' : ""}${content}},`;
}

function isEmptyList({ kind }: Shape, value: unknown): boolean {
  return (kind === "set" || kind === "keyed") && Array.isArray(value) && value.length === 0;
}
