/** Turns a JSON value into an object of a known type: what the type does not have is dropped and reported. */
import { parseQuantity, quantityText } from "../../lib/quantity/index.ts";
import { fieldsOf } from "../schema.ts";
import type { FieldType, ScalarType } from "../schema.ts";
import { dateTime, microTime } from "./time.ts";

/** A value is not of its field's type; the message is what Go's decoder, and so upstream, says. */
export class TypeMismatchError extends Error {
  override readonly name = "TypeMismatchError";
  readonly code = "TYPE_MISMATCH";
}

/**
 * A step down the value: a field's name, an item's index, or a map's key behind a point. Indices and keys count in
 * reports of unknown fields, Go's own complaints leave them out.
 */
type Step = string | number;

export interface DecodedValue {
  readonly object: Record<string, unknown>;
  /** Paths of fields that the type does not have. */
  readonly unknown: readonly string[];
}

/** What one decoding is asked for, where it is, and what it finds. */
interface Walk {
  readonly fillsZeros: boolean;
  readonly steps: Step[];
  /** The types around, the innermost last. */
  readonly types: string[];
  readonly unknown: string[];
}

function newWalk(fillsZeros: boolean): Walk {
  return { fillsZeros, steps: [], types: [], unknown: [] };
}

/**
 * Decodes a value of the named type. Without `fillsZeros` it holds only what was given. Throws `TypeMismatchError`, or
 * `QuantityError` for a quantity that is none.
 */
export function decodeValue(
  typeName: string,
  value: unknown,
  { fillsZeros = true }: { readonly fillsZeros?: boolean } = {},
): DecodedValue {
  const walk = newWalk(fillsZeros);
  const object = decodeObjectAt(typeName, value, walk);
  return { object, unknown: walk.unknown };
}

function decodeObjectAt(typeName: string, value: unknown, walk: Walk): Record<string, unknown> {
  if (!isObject(value)) throw mismatch(value, walk, goObjectType(typeName));
  const fields = fieldsOf(typeName);
  const result: Record<string, unknown> = {};
  walk.types.push(typeName);
  for (const key of Object.keys(value)) {
    const item = value[key];
    const field = fields.get(key);
    // Go leaves a field alone whose value is null.
    if (field !== undefined && item === null) continue;
    walk.steps.push(key);
    if (field === undefined) walk.unknown.push(pathOf(walk.steps));
    else result[key] = decodeField(field.type, item, walk);
    walk.steps.pop();
  }
  walk.types.pop();
  if (!walk.fillsZeros) return result;
  for (const [key, type] of filledFieldsOf(typeName)) {
    if (Object.hasOwn(result, key)) continue;
    const zero = zeroOf(type);
    if (zero !== undefined) result[key] = zero;
  }
  return result;
}

const filled = new Map<string, readonly (readonly [string, FieldType])[]>();

/** The fields that every object of the type has. */
function filledFieldsOf(typeName: string): readonly (readonly [string, FieldType])[] {
  const known = filled.get(typeName);
  if (known !== undefined) return known;
  // A spec is optional for the writer only: in Go it is a part of its object, not a pointer.
  const fields = [...fieldsOf(typeName)]
    .filter(([key, { isRequired }]) => isRequired || key === "spec")
    .map(([key, { type }]) => [key, type] as const);
  filled.set(typeName, fields);
  return fields;
}

/**
 * What Go writes for a required field that was not given, so that whoever reads the object finds what its type
 * promises; validation then says what is missing. Undefined for pointers: selectors, times, raw values.
 */
function zeroOf(type: FieldType): unknown {
  if (type.kind === "object") {
    return type.type === "LabelSelector" ? undefined : decodeObjectAt(type.type, {}, newWalk(true));
  }
  return emptyOf(type) ?? undefined;
}

function decodeField(type: FieldType, value: unknown, walk: Walk): unknown {
  switch (type.kind) {
    case "scalar":
      return decoders[type.type](value, walk);
    case "object":
      return decodeObjectAt(type.type, value, walk);
    case "list":
      if (!Array.isArray(value)) throw mismatch(value, walk, goType(type));
      return value.map((item: unknown, index) => decodeItem(type.item, item, { step: index, walk }));
    case "map":
      return decodeMap(type, value, walk);
    default:
      throw new Error("Cannot decode: the field's type is of no known kind");
  }
}

function decodeItem(type: FieldType, item: unknown, { step, walk }: { readonly step: Step; readonly walk: Walk }) {
  if (item === null) return emptyOf(type);
  walk.steps.push(step);
  const decoded = decodeField(type, item, walk);
  walk.steps.pop();
  return decoded;
}

function decodeMap(type: Extract<FieldType, { readonly kind: "map" }>, value: unknown, walk: Walk): unknown {
  if (!isObject(value)) throw mismatch(value, walk, goType(type));
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const decoded = decodeItem(type.value, value[key], { step: `.${key}`, walk });
    // `__proto__` is a key like any other in JSON, but an assignment would set the prototype.
    if (key === "__proto__") {
      Object.defineProperty(result, key, { value: decoded, enumerable: true, writable: true, configurable: true });
    } else result[key] = decoded;
  }
  return result;
}

/** `spec.ports[0].port`. */
function pathOf(steps: readonly Step[]): string {
  let path = "";
  for (const step of steps) {
    if (typeof step === "number") path += `[${step}]`;
    else path += path === "" || step.startsWith(".") ? step : `.${step}`;
  }
  return path;
}

/** `spec.ports.port`. */
function goPathOf(steps: readonly Step[]): string {
  return steps.filter((step) => typeof step === "string" && !step.startsWith(".")).join(".");
}

/** What Go makes of null within a list or map: the type's zero value. */
function emptyOf(type: FieldType): unknown {
  switch (type.kind) {
    case "object":
    case "map":
      return {};
    case "list":
      return [];
    case "scalar":
      return emptyScalars[type.type];
    default:
      return null;
  }
}

const emptyScalars: Readonly<Record<ScalarType, unknown>> = {
  string: "",
  byte: "",
  quantity: "0",
  boolean: false,
  int32: 0,
  int64: 0,
  double: 0,
  "int-or-string": 0,
  "date-time": null,
  "micro-time": null,
  any: null,
};

type Decoder = (value: unknown, walk: Walk) => unknown;

function integer(bits: 32 | 64): Decoder {
  const limit = 2 ** (bits - 1);
  return (value, walk) => {
    const fits = typeof value === "number" && Number.isInteger(value) && value >= -limit && value < limit;
    if (!fits) throw mismatch(value, walk, `int${bits}`, true);
    return value;
  };
}

const decoders: Readonly<Record<ScalarType, Decoder>> = {
  any: (value) => value,
  string(value, walk) {
    if (typeof value !== "string") throw mismatch(value, walk, "string");
    return value;
  },
  boolean(value, walk) {
    if (typeof value !== "boolean") throw mismatch(value, walk, "bool");
    return value;
  },
  int32: integer(32),
  int64: integer(64),
  double(value, walk) {
    if (typeof value !== "number") throw mismatch(value, walk, "float64");
    return value;
  },
  byte(value, walk) {
    if (typeof value !== "string") throw mismatch(value, walk, "[]uint8");
    const wrong = value.search(/[^A-Za-z0-9+/=\r\n]/);
    if (wrong >= 0) throw new TypeMismatchError(`illegal base64 data at input byte ${wrong}`);
    const clean = value.replace(/[\r\n]/g, "");
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(clean) || clean.length % 4 !== 0) {
      throw new TypeMismatchError(`illegal base64 data at input byte ${Math.max(0, clean.length - 1)}`);
    }
    return clean;
  },
  "date-time"(value, walk) {
    if (typeof value !== "string") throw mismatch(value, walk, "string");
    return dateTime(value);
  },
  "micro-time"(value, walk) {
    if (typeof value !== "string") throw mismatch(value, walk, "string");
    return microTime(value);
  },
  "int-or-string"(value, walk) {
    if (typeof value === "string") return value;
    return integer(32)(value, walk);
  },
  quantity(value, walk) {
    if (typeof value !== "string" && typeof value !== "number") throw mismatch(value, walk, "resource.Quantity");
    return quantityText(parseQuantity(String(value)));
  },
};

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The type without the prefix that keeps equal names of two groups apart in our table. */
function goName(typeName: string): string {
  return typeName.replace(/^(?:[A-Z][a-z]+)?V\d+(?=[A-Z])/, "");
}

function goObjectType(typeName: string): string {
  return `v1.${goName(typeName)}`;
}

function goType(type: FieldType): string {
  switch (type.kind) {
    case "object":
      return goObjectType(type.type);
    case "list":
      return `[]${goType(type.item)}`;
    case "map":
      return `map[string]${goType(type.value)}`;
    case "scalar":
      return goScalars[type.type] ?? type.type;
    default:
      return "";
  }
}

const goScalars: Readonly<Partial<Record<ScalarType, string>>> = {
  boolean: "bool",
  byte: "[]uint8",
  double: "float64",
  quantity: "resource.Quantity",
  "date-time": "v1.Time",
  "micro-time": "v1.MicroTime",
  "int-or-string": "intstr.IntOrString",
};

/** `showsNumber`: Go quotes a number that is none of the wanted kind of numbers. */
function mismatch(value: unknown, { steps, types }: Walk, wanted: string, showsNumber = false): TypeMismatchError {
  const number = showsNumber && typeof value === "number" ? ` ${value}` : "";
  const found = `json: cannot unmarshal ${jsonKind(value)}${number} into Go`;
  const owner = types.at(-1);
  const where = owner === undefined ? "value" : `struct field ${goName(owner)}.${goPathOf(steps)}`;
  return new TypeMismatchError(`${found} ${where} of type ${wanted}`);
}

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  return value === null ? "null" : typeof value;
}
