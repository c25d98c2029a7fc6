/** JSON schemas of the table's types, in the two dialects: OpenAPI v2 (kubectl 1.20, gnostic) and v3. */
import { atomicTypes, listRules } from "../list-rules.ts";
import { fieldsOf } from "../schema.ts";
import type { Field, FieldType, ScalarType } from "../schema.ts";
import { wellKnown } from "./models.ts";
import { fieldValues } from "./values.ts";

export type Dialect = "v2" | "v3";

export interface Schema {
  readonly [key: string]: unknown;
}

/** Sentences by type and field; the field "" is the type itself. */
export type Descriptions = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface SchemaContext {
  readonly dialect: Dialect;
  readonly names: ReadonlyMap<string, string>;
  readonly descriptions: Descriptions;
  /** The kinds that a type stands for, for `x-kubernetes-group-version-kind`. */
  readonly kinds: ReadonlyMap<string, readonly GroupVersionKind[]>;
}

const prefixes: Readonly<Record<Dialect, string>> = { v2: "#/definitions/", v3: "#/components/schemas/" };

/** A pointer to a model by its full name. */
export function referenceTo(dialect: Dialect, modelName: string): Schema {
  return { $ref: prefixes[dialect] + modelName };
}

const scalars: Readonly<Record<ScalarType, Schema | string>> = {
  string: { type: "string" },
  boolean: { type: "boolean" },
  int32: { type: "integer", format: "int32" },
  int64: { type: "integer", format: "int64" },
  double: { type: "number", format: "double" },
  byte: { type: "string", format: "byte" },
  "date-time": wellKnown.time,
  "micro-time": wellKnown.microTime,
  "int-or-string": wellKnown.intOrString,
  quantity: wellKnown.quantity,
  any: wellKnown.rawExtension,
};

function typeSchema(type: FieldType, context: SchemaContext, isMember: boolean): Schema {
  switch (type.kind) {
    case "list":
      return { type: "array", items: typeSchema(type.item, context, false) };
    case "map":
      return { type: "object", additionalProperties: typeSchema(type.value, context, false) };
    case "object":
      return pointer(context, context.names.get(type.type) ?? type.type, isMember);
    case "scalar": {
      const scalar = scalars[type.type];
      return typeof scalar === "string" ? pointer(context, scalar, isMember) : scalar;
    }
    default:
      throw new Error("Cannot describe the field: its type is of no known kind");
  }
}

/** In v3 a member that refers to a model wraps the reference, because siblings of `$ref` do not count there. */
function pointer({ dialect }: SchemaContext, modelName: string, isMember: boolean): Schema {
  const reference = referenceTo(dialect, modelName);
  return dialect === "v3" && isMember ? { allOf: [reference] } : reference;
}

function mergeExtensions(typeName: string, fieldName: string): Schema {
  const rule = listRules[typeName]?.[fieldName];
  if (rule === undefined) return {};
  return {
    ...(rule.keys === undefined ? {} : { "x-kubernetes-list-map-keys": rule.keys }),
    ...(rule.list === undefined ? {} : { "x-kubernetes-list-type": rule.list }),
    ...(rule.map === undefined ? {} : { "x-kubernetes-map-type": rule.map }),
    ...(rule.mergeKey === undefined ? {} : { "x-kubernetes-patch-merge-key": rule.mergeKey }),
    ...(rule.strategies === undefined ? {} : { "x-kubernetes-patch-strategy": rule.strategies.join(",") }),
  };
}

/** In v3 only: kubectl 1.20 validates by v2 on its own, and must not refuse what the server would take. */
function valuesOf(typeName: string, fieldName: string, { dialect }: SchemaContext): Schema {
  const values = dialect === "v3" ? fieldValues[typeName]?.[fieldName] : undefined;
  return { ...values };
}

function fieldSchema(typeName: string, [name, field]: readonly [string, Field], context: SchemaContext): Schema {
  // Many a field says no more than its type does.
  const description = context.descriptions[typeName]?.[name] ?? context.descriptions[objectIn(field.type)]?.[""];
  // Of the raw values only the fields of managed fields have a model of their own.
  const schema =
    typeName === "ManagedFieldsEntry" && name === "fieldsV1"
      ? pointer(context, wellKnown.fields, true)
      : typeSchema(field.type, context, true);
  return {
    ...(description === undefined ? {} : { description }),
    ...schema,
    ...valuesOf(typeName, name, context),
    ...mergeExtensions(typeName, name),
  };
}

/** The type that the field refers to, or that its items do; empty where there is none. */
function objectIn(type: FieldType): string {
  if (type.kind === "list") return objectIn(type.item);
  if (type.kind === "map") return objectIn(type.value);
  return type.kind === "object" ? type.type : "";
}

/** The schema of one type of the table. */
export function objectSchema(typeName: string, context: SchemaContext): Schema {
  const fields = [...fieldsOf(typeName)];
  const description = context.descriptions[typeName]?.[""];
  const required = fields.filter(([, { isRequired }]) => isRequired).map(([name]) => name);
  const kinds = context.kinds.get(typeName);
  return {
    ...(description === undefined ? {} : { description }),
    type: "object",
    ...(required.length === 0 ? {} : { required }),
    properties: Object.fromEntries(fields.map((entry) => [entry[0], fieldSchema(typeName, entry, context)])),
    ...(kinds === undefined ? {} : { "x-kubernetes-group-version-kind": kinds }),
    ...(atomicTypes.has(typeName) ? { "x-kubernetes-map-type": "atomic" } : {}),
  };
}

/** The list of a kind. */
export function listSchema(typeName: string, kind: GroupVersionKind, context: SchemaContext): Schema {
  const item = referenceTo(context.dialect, context.names.get(typeName) ?? typeName);
  const { apiVersion, kind: kindField } = context.descriptions[typeName] ?? {};
  return {
    description: `${kind.kind} is a list of objects.`,
    type: "object",
    required: ["items"],
    properties: {
      apiVersion: { ...(apiVersion === undefined ? {} : { description: apiVersion }), type: "string" },
      items: { type: "array", items: item },
      kind: { ...(kindField === undefined ? {} : { description: kindField }), type: "string" },
      metadata: pointer(context, wellKnown.listMeta, true),
    },
    "x-kubernetes-group-version-kind": [kind],
  };
}

/** The models that no class describes. */
export function wellKnownSchemas(dialect: Dialect): Readonly<Record<string, Schema>> {
  const either = (...types: readonly string[]): Schema =>
    dialect === "v3" ? { oneOf: types.map((type) => ({ type })) } : { type: "string" };
  return {
    [wellKnown.time]: { description: "A moment, RFC 3339, to the second.", type: "string", format: "date-time" },
    [wellKnown.microTime]: {
      description: "A moment, RFC 3339, to the microsecond.",
      type: "string",
      format: "date-time",
    },
    [wellKnown.intOrString]: {
      description: "A number or a name.",
      ...either("integer", "string"),
      format: "int-or-string",
    },
    [wellKnown.quantity]: { description: "An amount: 100m, 1.5, 2Gi.", ...either("string", "number") },
    [wellKnown.fields]: { description: "The fields that a manager owns, as a tree.", type: "object" },
    [wellKnown.rawExtension]: { description: "Any JSON value.", type: "object" },
    [wellKnown.patch]: { description: "What a PATCH request carries.", type: "object" },
    [wellKnown.watchEvent]: {
      description: "One line of a watch.",
      type: "object",
      required: ["type", "object"],
      properties: {
        object:
          dialect === "v3"
            ? { allOf: [referenceTo(dialect, wellKnown.rawExtension)] }
            : referenceTo(dialect, wellKnown.rawExtension),
        type: { type: "string" },
      },
    },
  };
}

/** All types that a type refers to, itself included. */
export function closureOf(roots: Iterable<string>): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (type: FieldType): void => {
    if (type.kind === "list") visit(type.item);
    else if (type.kind === "map") visit(type.value);
    else if (type.kind === "object" && !found.has(type.type)) {
      found.add(type.type);
      for (const field of fieldsOf(type.type).values()) visit(field.type);
    }
  };
  for (const type of roots) visit({ kind: "object", type });
  return found;
}
