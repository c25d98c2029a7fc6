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
  /** Such as DeleteOptions, which upstream registers in every group; what is wrong with it is told without its name. */
  readonly isOfEveryVersion?: boolean;
}

/** JSON text or Kubernetes protobuf as received, or a value that was made otherwise (YAML, an applied patch). */
export type DecodeSource =
  | { readonly text: string }
  | { readonly protobuf: Uint8Array }
  | { readonly value: unknown; readonly text?: string; readonly complaints?: readonly string[] };

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
  const parsed = readSource(target, source, validation);
  checkKind(target, parsed.value, ("text" in source ? source.text : undefined) ?? "");
  try {
    return decodeParsed(target, parsed, validation);
  } catch (error) {
    if (error instanceof UndecodableError) throw cannotHandle(target, target.kind, error.message);
    throw error;
  }
}

/** A value is not of the type it should be of; the message is upstream's, and says no more than why. */
export class UndecodableError extends Error {
  override readonly name = "UndecodableError";
  readonly code = "OBJECT_UNDECODABLE";
}

/** What has been parsed, with what was wrong with its text: `duplicate field "spec.replicas"`. */
export interface Parsed {
  readonly value: unknown;
  readonly complaints: readonly string[];
  /** The JSON that it was, where it complains of duplicates: all complaints are then told in the order of the text. */
  readonly text?: string;
}

/** Like `decodeObject`, without a look at kind and version. Throws `UndecodableError`. */
export function decodeParsed<T extends KubernetesObject>(
  target: DecodeTarget,
  { value, complaints, text }: Parsed,
  validation: FieldValidation,
): Decoded<T> {
  try {
    const decoded = decodeValue(target.type, value);
    const unknown = (path: string): string => unknownField(path, { typeName: target.type, value, fieldsOf });
    const all =
      text === undefined || decoded.unknown.length === 0
        ? [...complaints, ...decoded.unknown.map(unknown)]
        : complaintsInOrder(text, decoded.unknown).map(({ path, isDuplicate }) =>
            isDuplicate ? duplicateField(path) : unknown(path),
          );
    if (validation === "Strict" && all.length > 0) {
      throw new UndecodableError(`strict decoding error: ${all.join(", ")}`);
    }
    const object = { kind: target.kind, apiVersion: apiVersionOf(target), ...decoded.object };
    return { object: object as unknown as T, warnings: validation === "Warn" ? all : [] };
  } catch (error) {
    if (isDecoderError(error)) throw new UndecodableError(error.message, { cause: error });
    throw error;
  }
}

export const duplicateField = (path: string): string => `duplicate field ${quoted(path)}`;

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
  if (target.isOfEveryVersion === true) return badRequest(why);
  return badRequest(`${kind} in version ${quoted(target.version)} cannot be handled as a ${target.kind}: ${why}`);
}

function readSource(target: DecodeTarget, source: DecodeSource, validation: FieldValidation): Parsed {
  if ("value" in source) return { value: source.value, complaints: source.complaints ?? [] };
  if ("protobuf" in source) return { value: readProtobuf(target, source.protobuf), complaints: [] };
  try {
    const { value, duplicates } = parseJsonText(source.text, validation !== "Ignore");
    if (duplicates.length === 0) return { value, complaints: [] };
    return { value, complaints: duplicates.map(duplicateField), text: source.text };
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    const why = `couldn't get version/kind; json parse error: ${error.message}`;
    throw unrecognized(target, why, source.text);
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

/** 400 for a body that is no object at all; its beginning is shown. */
export function unrecognized(target: DecodeTarget, why: string, text: string): ApiError {
  if (target.isOfEveryVersion === true) return badRequest(why);
  return badRequest(`the object provided is unrecognized (must be of type ${target.kind}): ${why} (${summary(text)})`);
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

function checkKind(target: DecodeTarget, value: unknown, text: string): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const found = Array.isArray(value) ? "array" : typeof value;
    const why = `couldn't get version/kind; json parse error: json: cannot unmarshal ${found} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`;
    throw unrecognized(target, why, text);
  }
  const { apiVersion, kind } = value as { readonly apiVersion?: unknown; readonly kind?: unknown };
  const expected = apiVersionOf(target);
  const isChecked = typeof apiVersion === "string" && apiVersion !== "" && target.isOfEveryVersion !== true;
  if (isChecked && apiVersion !== expected) {
    const given = `the API version in the data (${apiVersion})`;
    throw badRequest(`${given} does not match the expected API version (${expected})`);
  }
  if (typeof kind === "string" && kind !== "" && kind !== target.kind) {
    const version = target.isOfEveryVersion === true ? "meta.k8s.io/v1" : expected;
    throw cannotHandle(target, kind, notRegistered(kind, version));
  }
}

/** Upstream's words for a kind that a group version does not have. */
export function notRegistered(kind: string, apiVersion: string): string {
  const scheme = 'in scheme "pkg/api/legacyscheme/scheme.go:30"';
  return `no kind ${quoted(kind)} is registered for version ${quoted(apiVersion)} ${scheme}`;
}
