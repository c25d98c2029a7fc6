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

/** Where the walk is: indices count in reports of unknown fields, Go's own complaints leave them out. */
interface Place {
  /** The type that has the field, as Go names it. */
  readonly owner: string;
  /** `spec.ports.port`. */
  readonly goPath: string;
  /** `spec.ports[0].port`. */
  readonly path: string;
}

export interface DecodedValue {
  readonly object: Record<string, unknown>;
  /** Paths of fields that the type does not have. */
  readonly unknown: readonly string[];
}

/** What one decoding is asked for, and what it finds. */
interface Walk {
  readonly unknown: string[];
  readonly fillsZeros: boolean;
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
  const walk: Walk = { unknown: [], fillsZeros };
  const object = decodeObjectAt(typeName, value, { owner: "", goPath: "", path: "" }, walk);
  return { object, unknown: walk.unknown };
}

function decodeObjectAt(typeName: string, value: unknown, place: Place, walk: Walk): Record<string, unknown> {
  if (!isObject(value)) throw mismatch(value, place, goObjectType(typeName));
  const fields = fieldsOf(typeName);
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const field = fields.get(key);
    const path = place.path === "" ? key : `${place.path}.${key}`;
    if (field === undefined) {
      walk.unknown.push(path);
      continue;
    }
    // Go leaves a field alone whose value is null.
    if (item === null) continue;
    const goPath = place.goPath === "" ? key : `${place.goPath}.${key}`;
    result[key] = decodeField(field.type, item, { owner: goName(typeName), goPath, path }, walk);
  }
  if (!walk.fillsZeros) return result;
  for (const [key, field] of fields) {
    // A spec is optional for the writer only: in Go it is a part of its object, not a pointer.
    if (key in result || !(field.isRequired || key === "spec")) continue;
    const zero = zeroOf(field.type);
    if (zero !== undefined) result[key] = zero;
  }
  return result;
}

/**
 * What Go writes for a required field that was not given, so that whoever reads the object finds what its type
 * promises; validation then says what is missing. Undefined for pointers: selectors, times, raw values.
 */
function zeroOf(type: FieldType): unknown {
  if (type.kind === "object") {
    if (type.type === "LabelSelector") return undefined;
    return decodeObjectAt(type.type, {}, { owner: "", goPath: "", path: "" }, { unknown: [], fillsZeros: true });
  }
  return emptyOf(type) ?? undefined;
}

function decodeField(type: FieldType, value: unknown, place: Place, walk: Walk): unknown {
  switch (type.kind) {
    case "scalar":
      return decodeScalar(type.type, value, place);
    case "object":
      return decodeObjectAt(type.type, value, place, walk);
    case "list":
      if (!Array.isArray(value)) throw mismatch(value, place, goType(type));
      return value.map((item: unknown, index) =>
        item === null ? emptyOf(type.item) : decodeField(type.item, item, at(place, `[${index}]`), walk),
      );
    case "map":
      return decodeMap(type.value, value, { place, walk, goText: goType(type) });
    default:
      throw new Error("Cannot decode: the field's type is of no known kind");
  }
}

interface MapContext {
  readonly place: Place;
  readonly walk: Walk;
  readonly goText: string;
}

function decodeMap(type: FieldType, value: unknown, { place, walk, goText }: MapContext): unknown {
  if (!isObject(value)) throw mismatch(value, place, goText);
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const decoded = item === null ? emptyOf(type) : decodeField(type, item, at(place, `.${key}`), walk);
    // `__proto__` is a key like any other in JSON, but an assignment would set the prototype.
    Object.defineProperty(result, key, { value: decoded, enumerable: true, writable: true, configurable: true });
  }
  return result;
}

function at(place: Place, suffix: string): Place {
  return { ...place, path: place.path + suffix };
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

type Decoder = (value: unknown, place: Place) => unknown;

function integer(bits: 32 | 64): Decoder {
  const limit = 2 ** (bits - 1);
  return (value, place) => {
    const fits = typeof value === "number" && Number.isInteger(value) && value >= -limit && value < limit;
    if (!fits) throw mismatch(value, place, `int${bits}`, true);
    return value;
  };
}

const decoders: Readonly<Record<ScalarType, Decoder>> = {
  any: (value) => value,
  string(value, place) {
    if (typeof value !== "string") throw mismatch(value, place, "string");
    return value;
  },
  boolean(value, place) {
    if (typeof value !== "boolean") throw mismatch(value, place, "bool");
    return value;
  },
  int32: integer(32),
  int64: integer(64),
  double(value, place) {
    if (typeof value !== "number") throw mismatch(value, place, "float64");
    return value;
  },
  byte(value, place) {
    if (typeof value !== "string") throw mismatch(value, place, "[]uint8");
    const wrong = value.search(/[^A-Za-z0-9+/=\r\n]/);
    if (wrong >= 0) throw new TypeMismatchError(`illegal base64 data at input byte ${wrong}`);
    const clean = value.replace(/[\r\n]/g, "");
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(clean) || clean.length % 4 !== 0) {
      throw new TypeMismatchError(`illegal base64 data at input byte ${Math.max(0, clean.length - 1)}`);
    }
    return clean;
  },
  "date-time"(value, place) {
    if (typeof value !== "string") throw mismatch(value, place, "string");
    return dateTime(value);
  },
  "micro-time"(value, place) {
    if (typeof value !== "string") throw mismatch(value, place, "string");
    return microTime(value);
  },
  "int-or-string"(value, place) {
    if (typeof value === "string") return value;
    return integer(32)(value, place);
  },
  quantity(value, place) {
    if (typeof value !== "string" && typeof value !== "number") throw mismatch(value, place, "resource.Quantity");
    return quantityText(parseQuantity(String(value)));
  },
};

function decodeScalar(type: ScalarType, value: unknown, place: Place): unknown {
  return decoders[type](value, place);
}

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
function mismatch(value: unknown, place: Place, wanted: string, showsNumber = false): TypeMismatchError {
  const number = showsNumber && typeof value === "number" ? ` ${value}` : "";
  const found = `json: cannot unmarshal ${jsonKind(value)}${number} into Go`;
  const where = place.owner === "" ? "value" : `struct field ${place.owner}.${place.goPath}`;
  return new TypeMismatchError(`${found} ${where} of type ${wanted}`);
}

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  return value === null ? "null" : typeof value;
}
