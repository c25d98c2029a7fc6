/**
 * Bodies of `application/vnd.kubernetes.protobuf`, which client-go's typed clients send (kubectl create since 1.32):
 * four magic bytes, then an envelope with the kind and the object's own message. The result is the JSON value that the
 * same client would have sent as JSON.
 */
import { ProtobufError, readFields } from "../../lib/protobuf/index.ts";
import type { ProtobufField } from "../../lib/protobuf/index.ts";
import { fieldNumbers as today } from "../generated/field-numbers.ts";
import { oldFieldNumbers } from "../old/tables.ts";
import { fieldsOf } from "../schema.ts";
import type { FieldType, ScalarType } from "../schema.ts";

const fieldNumbers = { ...today, ...oldFieldNumbers };

const magic = [0x6b, 0x38, 0x73, 0x00];
/** Far beyond what any type nests, schemas of custom resources excepted, which have none here. */
const depthLimit = 100;

interface Numbered {
  readonly name: string;
  /** Go holds a pointer: a zero value was set on purpose. */
  readonly isPointer: boolean;
  /** The fields of this type belong to the owner. */
  readonly embedded: string | undefined;
}

const parsed = new Map<string, ReadonlyMap<number, Numbered>>();

function numbersOf(typeName: string): ReadonlyMap<number, Numbered> {
  const known = parsed.get(typeName);
  if (known) return known;
  const written = Object.hasOwn(fieldNumbers, typeName) ? (fieldNumbers[typeName] ?? "") : "";
  const numbers = new Map(
    [...written.matchAll(/(\d+):(>?)(\w+)(\*?)/g)].map(([, number, arrow, name = "", star]): [number, Numbered] => [
      Number(number),
      { name, isPointer: star === "*", embedded: arrow === ">" ? name : undefined },
    ]),
  );
  parsed.set(typeName, numbers);
  return numbers;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

function fieldOf(message: Uint8Array, number: number): ProtobufField | undefined {
  return readFields(message).find((field) => field.number === number);
}

/** The object as a JSON value of the named type, with the envelope's `apiVersion` and `kind`. Throws `ProtobufError`. */
export function readProtobufBody(body: Uint8Array, typeName: string): Record<string, unknown> {
  if (!magic.every((byte, index) => body[index] === byte)) {
    throw new ProtobufError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
  }
  const envelope = readFields(body.subarray(magic.length));
  const meta = envelope.find(({ number }) => number === 1)?.bytes ?? new Uint8Array(0);
  const raw = envelope.find(({ number }) => number === 2)?.bytes ?? new Uint8Array(0);
  const apiVersion = text(fieldOf(meta, 1)?.bytes ?? new Uint8Array(0));
  const kind = text(fieldOf(meta, 2)?.bytes ?? new Uint8Array(0));
  const object = readObject(raw, typeName, depthLimit);
  return { ...object, ...(apiVersion === "" ? {} : { apiVersion }), ...(kind === "" ? {} : { kind }) };
}

function readObject(message: Uint8Array, typeName: string, depth: number): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  readInto(result, message, { owner: typeName, message: typeName, depth });
  return result;
}

interface Frame {
  /** The type whose fields are set. */
  readonly owner: string;
  /** The type whose numbers are read: the owner's, or that of a struct embedded in it. */
  readonly message: string;
  readonly depth: number;
}

function readInto(result: Record<string, unknown>, message: Uint8Array, frame: Frame): void {
  if (frame.depth === 0) throw new ProtobufError("exceeded max depth");
  const numbers = numbersOf(frame.message);
  const types = fieldsOf(frame.owner);
  for (const field of readFields(message)) {
    const numbered = numbers.get(field.number);
    if (numbered === undefined) continue;
    if (numbered.embedded !== undefined) {
      readInto(result, field.bytes, { ...frame, message: numbered.embedded, depth: frame.depth - 1 });
      continue;
    }
    const type = types.get(numbered.name)?.type;
    if (type === undefined) continue;
    const value = readField(result[numbered.name], field, type, frame.depth);
    // Go writes every field that is no pointer, set or not, and JSON leaves out what is not set.
    const isUnset = value === "" || value === 0 || value === false || value === undefined;
    if (!isUnset || (numbered.isPointer && value !== undefined)) result[numbered.name] = value;
  }
}

/** `before`: what earlier fields of the same number have made. */
function readField(before: unknown, field: ProtobufField, type: FieldType, depth: number): unknown {
  switch (type.kind) {
    case "scalar":
      return readScalar(field, type.type);
    case "object":
      return readObject(field.bytes, type.type, depth - 1);
    case "list":
      return [...(Array.isArray(before) ? (before as readonly unknown[]) : []), readItem(field, type.item, depth)];
    case "map": {
      const key = text(fieldOf(field.bytes, 1)?.bytes ?? new Uint8Array(0));
      const value = fieldOf(field.bytes, 2) ?? { number: 2, integer: 0n, bytes: new Uint8Array(0) };
      const entries = new Map(Object.entries((before ?? {}) as Record<string, unknown>));
      entries.set(key, readItem(value, type.value, depth));
      return Object.fromEntries(entries);
    }
    default:
      throw new ProtobufError("a field is of no known kind");
  }
}

/** Within lists and maps zero values count, and a list is a message of its own (ExtraValue: `items`). */
function readItem(field: ProtobufField, type: FieldType, depth: number): unknown {
  if (type.kind !== "list") return readField(undefined, field, type, depth);
  return readFields(field.bytes).map((item) => readItem(item, type.item, depth - 1));
}

function readScalar(field: ProtobufField, type: ScalarType): unknown {
  const { integer, bytes } = field;
  switch (type) {
    case "string":
      return text(bytes);
    case "byte":
      return Buffer.from(bytes).toString("base64");
    case "boolean":
      return integer !== 0n;
    case "int32":
    case "int64":
      return Number(BigInt.asIntN(64, integer));
    case "double":
      return doubleOf(integer);
    case "quantity":
      return text(fieldOf(bytes, 1)?.bytes ?? new Uint8Array(0)) || "0";
    case "date-time":
    case "micro-time":
      return timeOf(bytes);
    case "int-or-string": {
      const isText = (fieldOf(bytes, 1)?.integer ?? 0n) === 1n;
      if (isText) return text(fieldOf(bytes, 3)?.bytes ?? new Uint8Array(0));
      return Number(BigInt.asIntN(64, fieldOf(bytes, 2)?.integer ?? 0n));
    }
    case "any":
      return jsonOf(fieldOf(bytes, 1)?.bytes);
    default:
      return undefined;
  }
}

function doubleOf(bits: bigint): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
}

/** An empty message is no time at all. */
function timeOf(bytes: Uint8Array): string | undefined {
  const fields = readFields(bytes);
  if (fields.length === 0) return undefined;
  const seconds = BigInt.asIntN(64, fields.find(({ number }) => number === 1)?.integer ?? 0n);
  const nanos = Number(fields.find(({ number }) => number === 2)?.integer ?? 0n);
  const milliseconds = Number(seconds) * 1000;
  if (Math.abs(milliseconds) > 8.64e15) throw new ProtobufError("a time is out of range");
  const micros = Math.trunc(nanos / 1000) % 1_000_000;
  return `${new Date(milliseconds).toISOString().slice(0, 19)}.${String(micros).padStart(6, "0")}Z`;
}

function jsonOf(bytes: Uint8Array | undefined): unknown {
  if (bytes === undefined || bytes.length === 0) return undefined;
  try {
    return JSON.parse(text(bytes)) as unknown;
  } catch (error) {
    throw new ProtobufError("a raw value is not JSON", { cause: error });
  }
}
