import { requiredValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import { fieldsOf } from "../schema.ts";
import type { FieldType } from "../schema.ts";

/** Is there nothing where upstream wants something? Zero and false are values. */
function isEmpty(value: unknown): boolean {
  return value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
}

function missingIn(type: FieldType, value: unknown, path: string): readonly FieldError[] {
  if (type.kind === "list" && Array.isArray(value)) {
    return value.flatMap((item: unknown, index) => missingIn(type.item, item, `${path}[${index}]`));
  }
  if (type.kind !== "object" || typeof value !== "object" || value === null) return [];
  return missingFields(type.type, value, path);
}

/** Fields that the type's table calls required and the object lacks. Metadata and status are others' business. */
export function missingFields(typeName: string, object: object, path = ""): readonly FieldError[] {
  const values = new Map<string, unknown>(Object.entries(object));
  return [...fieldsOf(typeName)].flatMap(([name, { type, isRequired }]) => {
    if (path === "" && (name === "metadata" || name === "status")) return [];
    const place = path === "" ? name : `${path}.${name}`;
    const value = values.get(name);
    const isNumber = type.kind === "scalar" && ["int32", "int64", "double", "boolean"].includes(type.type);
    if (isRequired && !isNumber && isEmpty(value)) return [requiredValue(place)];
    return missingIn(type, value, place);
  });
}
