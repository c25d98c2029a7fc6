/** The table of `generated/definitions.ts`, read: which fields a type has and what they hold. */
import { own } from "../lib/own/index.ts";
import { definitions as today } from "./generated/definitions.ts";
import { oldDefinitions } from "./old/tables.ts";

const definitions = { ...today, ...oldDefinitions };

export type ScalarType =
  | "string"
  | "boolean"
  | "int32"
  | "int64"
  | "double"
  | "byte"
  | "date-time"
  | "micro-time"
  | "int-or-string"
  | "quantity"
  /** Anything at all, kept as it is. */
  | "any";

export type FieldType =
  | { readonly kind: "scalar"; readonly type: ScalarType }
  | { readonly kind: "object"; readonly type: string }
  | { readonly kind: "list"; readonly item: FieldType }
  | { readonly kind: "map"; readonly value: FieldType };

export interface Field {
  readonly type: FieldType;
  readonly isRequired: boolean;
}

export type Fields = ReadonlyMap<string, Field>;

function parseFieldType(text: string): FieldType {
  if (text.startsWith("[]")) return { kind: "list", item: parseFieldType(text.slice(2)) };
  if (text.startsWith("{}")) return { kind: "map", value: parseFieldType(text.slice(2)) };
  if (Object.hasOwn(definitions, text)) return { kind: "object", type: text };
  return { kind: "scalar", type: text as ScalarType };
}

/** Parsed types, kept: the table never changes, and a server decodes thousands of objects of few types. */
const parsed = new Map<string, Fields>();

/** The fields of a type. Throws for a name that the table does not have: a mistake in our own declarations. */
export function fieldsOf(typeName: string): Fields {
  const known = parsed.get(typeName);
  if (known) return known;
  const definition = own(definitions, typeName);
  if (definition === undefined) throw new Error(`Cannot find the type "${typeName}" in generated/definitions.ts`);
  const fields = new Map(
    Object.entries(definition).map(([name, text]): [string, Field] => {
      const isRequired = text.endsWith("!");
      return [name, { type: parseFieldType(isRequired ? text.slice(0, -1) : text), isRequired }];
    }),
  );
  parsed.set(typeName, fields);
  return fields;
}
