/** How server-side apply sees a type: what is merged field by field, what by keys, and what is taken whole. */
import { atomicTypes, keyDefaults, listRules } from "../list-rules.ts";
import { fieldsOf } from "../schema.ts";
import type { FieldType } from "../schema.ts";

export type Shape =
  /** A scalar, or something that one manager owns whole. */
  | { readonly kind: "leaf" }
  | { readonly kind: "struct"; readonly type: string }
  | { readonly kind: "map"; readonly value: Shape }
  /** A list of scalars, each of which is there or not. */
  | { readonly kind: "set" }
  | {
      readonly kind: "keyed";
      readonly keys: readonly string[];
      /** What a key counts as where the item does not have it. */
      readonly defaults: Readonly<Record<string, unknown>>;
      readonly item: Shape;
    };

const leaf: Shape = { kind: "leaf" };
const byType = new Map<string, ReadonlyMap<string, Shape>>();
const structs = new Map<string, Shape>();

/** The shape of a named type of the table. */
export function shapeOfType(typeName: string): Shape {
  if (atomicTypes.has(typeName)) return leaf;
  const known = structs.get(typeName) ?? ({ kind: "struct", type: typeName } as const);
  structs.set(typeName, known);
  return known;
}

/** The fields of a struct; unknown names are absent. */
export function fieldShapesOf(typeName: string): ReadonlyMap<string, Shape> {
  const known = byType.get(typeName);
  if (known !== undefined) return known;
  const shapes = new Map<string, Shape>();
  for (const [name, field] of fieldsOf(typeName)) shapes.set(name, fieldShape(typeName, name, field.type));
  byType.set(typeName, shapes);
  return shapes;
}

function fieldShape(typeName: string, name: string, type: FieldType): Shape {
  const rule = listRules[typeName]?.[name];
  if (rule?.map === "atomic") return leaf;
  if (type.kind !== "list") return shapeOf(type);
  if (rule?.list === "set") return { kind: "set" };
  if (rule?.list !== "map" || rule.keys === undefined) return leaf;
  return { kind: "keyed", keys: rule.keys, defaults: keyDefaults, item: shapeOf(type.item) };
}

function shapeOf(type: FieldType): Shape {
  switch (type.kind) {
    case "object":
      return shapeOfType(type.type);
    case "map":
      return { kind: "map", value: shapeOf(type.value) };
    // A list that nothing is said about is taken whole.
    case "list":
    case "scalar":
      return leaf;
    default:
      throw new Error("Cannot shape the field: its type is of no known kind");
  }
}
