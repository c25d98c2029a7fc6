import { ProtobufError } from "../../lib/protobuf/index.ts";
import { suggestField } from "../../lib/hints/index.ts";
import type { FieldHintOptions } from "../../lib/hints/index.ts";
import { QuantityError } from "../../lib/quantity/index.ts";
import { quoted } from "../go-text.ts";
import type { KubernetesObject } from "../object.ts";
import { fieldsOf } from "../schema.ts";
import { badRequest } from "../status.ts";
import type { ApiError } from "../status.ts";
import { complaintsInOrder, JsonTextError, parseJsonText } from "./json-text.ts";
import type { KeyComplaint } from "./json-text.ts";
import { readProtobufBody } from "./protobuf-body.ts";
import { TimeError } from "./time.ts";
import { decodeValue, TypeMismatchError } from "./value.ts";

/** What to do about fields that the type does not have, and keys given twice: refuse, warn or drop silently. */
export type FieldValidation = "Strict" | "Warn" | "Ignore";

/** The kind that a request's path expects. A `ResourceDefinition` fits. */
export interface DecodeTarget {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Key in `generated/definitions.ts`. */
  readonly type: string;
  /** Such as DeleteOptions, which upstream registers in every group. */
  readonly isOfEveryVersion?: boolean;
}

/** JSON text or Kubernetes protobuf as received, or a value that was made otherwise (YAML, an applied patch). */
export type DecodeSource =
  | { readonly text: string }
  | { readonly protobuf: Uint8Array }
  | { readonly value: unknown; readonly duplicates?: readonly string[] };

export interface Decoded<T> {
  /** Holds only fields that the type has; quantities and times are in canonical form. */
  readonly object: T;
  /** Sentences for `Warning` headers; empty unless the mode is "Warn". */
  readonly warnings: readonly string[];
}

/**
 * Decodes a request's body as the kind of its path. `apiVersion` and `kind` may be left out of the body. Throws
 * `ApiError` 400 with upstream's sentences.
 */
export function decodeObject<T extends KubernetesObject = KubernetesObject>(
  target: DecodeTarget,
  source: DecodeSource,
  validation: FieldValidation,
): Decoded<T> {
  const { value, duplicates } = readSource(target, source, validation);
  checkKind(target, value);
  try {
    const decoded = decodeValue(target.type, value);
    const complaints = inOrder(source, duplicates, decoded.unknown).map(({ path, isDuplicate }) =>
      isDuplicate ? `duplicate field ${quoted(path)}` : unknownField(path, { typeName: target.type, value, fieldsOf }),
    );
    if (validation === "Strict" && complaints.length > 0) {
      throw cannotHandle(target, target.kind, `strict decoding error: ${complaints.join(", ")}`);
    }
    const object = { apiVersion: apiVersionOf(target), kind: target.kind, ...decoded.object };
    return { object: object as unknown as T, warnings: validation === "Warn" ? complaints : [] };
  } catch (error) {
    if (isDecoderError(error)) throw cannotHandle(target, target.kind, error.message);
    throw error;
  }
}

/** As they stand in a text; what was made otherwise complains of duplicates first, as upstream's YAML reader does. */
function inOrder(
  source: DecodeSource,
  duplicates: readonly string[],
  unknown: readonly string[],
): readonly KeyComplaint[] {
  if ("text" in source && duplicates.length > 0 && unknown.length > 0) return complaintsInOrder(source.text, unknown);
  return [
    ...duplicates.map((path) => ({ path, isDuplicate: true })),
    ...unknown.map((path) => ({ path, isDuplicate: false })),
  ];
}

/** Upstream's words, and behind them what was probably meant. */
function unknownField(path: string, context: Omit<FieldHintOptions, "path">): string {
  const hint = suggestField({ path, ...context });
  return `unknown field ${quoted(path)}${hint === undefined ? "" : ` (${hint})`}`;
}

function isDecoderError(error: unknown): error is Error {
  return error instanceof TypeMismatchError || error instanceof QuantityError || error instanceof TimeError;
}

function apiVersionOf({ group, version }: DecodeTarget): string {
  return group === "" ? version : `${group}/${version}`;
}

function cannotHandle(target: DecodeTarget, kind: string, why: string): ApiError {
  return badRequest(`${kind} in version ${quoted(target.version)} cannot be handled as a ${target.kind}: ${why}`);
}

function readSource(
  target: DecodeTarget,
  source: DecodeSource,
  validation: FieldValidation,
): { readonly value: unknown; readonly duplicates: readonly string[] } {
  if ("value" in source) return { value: source.value, duplicates: source.duplicates ?? [] };
  if ("protobuf" in source) return { value: readProtobuf(target, source.protobuf), duplicates: [] };
  try {
    return parseJsonText(source.text, validation !== "Ignore");
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    const why = `couldn't get version/kind; json parse error: ${error.message} (${summary(source.text)})`;
    throw badRequest(`the object provided is unrecognized (must be of type ${target.kind}): ${why}`);
  }
}

function readProtobuf(target: DecodeTarget, body: Uint8Array): unknown {
  try {
    return readProtobufBody(body, target.type);
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    throw badRequest(`the object provided is unrecognized (must be of type ${target.kind}): ${error.message}`);
  }
}

const summaryLength = 30;

/** The beginning of a body, in hexadecimal unless it looks like JSON. */
function summary(text: string): string {
  if (text === "") return "<empty>";
  if (text.startsWith("{")) return text.length > summaryLength ? `${text.slice(0, summaryLength)} ...` : text;
  const bytes = Buffer.from(text.slice(0, summaryLength));
  const hex = bytes.subarray(0, summaryLength).toString("hex");
  return text.length > summaryLength ? `${hex} ...` : hex;
}

function checkKind(target: DecodeTarget, value: unknown): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const found = Array.isArray(value) ? "array" : typeof value;
    const why = `couldn't get version/kind; json parse error: json: cannot unmarshal ${found} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`;
    throw badRequest(`the object provided is unrecognized (must be of type ${target.kind}): ${why}`);
  }
  const { apiVersion, kind } = value as { readonly apiVersion?: unknown; readonly kind?: unknown };
  const expected = apiVersionOf(target);
  const isChecked = typeof apiVersion === "string" && apiVersion !== "" && target.isOfEveryVersion !== true;
  if (isChecked && apiVersion !== expected) {
    const given = `the API version in the data (${apiVersion})`;
    throw badRequest(`${given} does not match the expected API version (${expected})`);
  }
  if (typeof kind === "string" && kind !== "" && kind !== target.kind) {
    const scheme = 'in scheme "pkg/api/legacyscheme/scheme.go:30"';
    const why = `no kind ${quoted(kind)} is registered for version ${quoted(expected)} ${scheme}`;
    throw cannotHandle(target, kind, why);
  }
}
