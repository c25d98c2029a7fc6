/** Mistakes in one field of an object, in the words that upstream's clients and tests expect. */
import { jsonOf, quoted } from "./go-text.ts";

type FieldErrorType =
  | "FieldValueNotFound"
  | "FieldValueRequired"
  | "FieldValueDuplicate"
  | "FieldValueInvalid"
  | "FieldValueNotSupported"
  | "FieldValueForbidden"
  | "FieldValueTooLong"
  | "FieldValueTooMany"
  | "FieldValueTypeInvalid"
  | "InternalError";

/** `field` is the path (`spec.ports[0].port`), `body` the sentence without it. */
export interface FieldError {
  readonly type: FieldErrorType;
  readonly field: string;
  readonly body: string;
}

/** `spec.ports[0].port: Invalid value: 70000: …`. */
export function fieldErrorText(error: FieldError): string {
  return `${error.field}: ${error.body}`;
}

const headings: Readonly<Record<FieldErrorType, string>> = {
  FieldValueNotFound: "Not found",
  FieldValueRequired: "Required value",
  FieldValueDuplicate: "Duplicate value",
  FieldValueInvalid: "Invalid value",
  FieldValueNotSupported: "Unsupported value",
  FieldValueForbidden: "Forbidden",
  FieldValueTooLong: "Too long",
  FieldValueTooMany: "Too many",
  FieldValueTypeInvalid: "Invalid value",
  InternalError: "Internal error",
};

function withValue(type: FieldErrorType, field: string, value: unknown, detail = ""): FieldError {
  const shown = typeof value === "string" ? quoted(value) : jsonOf(value);
  return { type, field, body: `${headings[type]}: ${shown}${detail === "" ? "" : `: ${detail}`}` };
}

function withoutValue(type: FieldErrorType, field: string, detail = ""): FieldError {
  return { type, field, body: `${headings[type]}${detail === "" ? "" : `: ${detail}`}` };
}

export function requiredValue(field: string, detail = ""): FieldError {
  return withoutValue("FieldValueRequired", field, detail);
}

export function forbiddenValue(field: string, detail: string): FieldError {
  return withoutValue("FieldValueForbidden", field, detail);
}

export function invalidValue(field: string, value: unknown, detail: string): FieldError {
  return withValue("FieldValueInvalid", field, value, detail);
}

export function duplicateValue(field: string, value: unknown): FieldError {
  return withValue("FieldValueDuplicate", field, value);
}

export function valueNotFound(field: string, value: unknown): FieldError {
  return withValue("FieldValueNotFound", field, value);
}

/** `supported` is printed in the given order. */
export function unsupportedValue(field: string, value: unknown, supported: readonly string[]): FieldError {
  const detail = supported.length === 0 ? "" : `supported values: ${supported.map(quoted).join(", ")}`;
  return withValue("FieldValueNotSupported", field, value, detail);
}

export function tooLong(field: string, maximumBytes: number): FieldError {
  const unit = maximumBytes === 1 ? "byte" : "bytes";
  return withoutValue("FieldValueTooLong", field, `may not be more than ${maximumBytes} ${unit}`);
}

export function tooMany(field: string, actual: number, maximum: number): FieldError {
  return withValue(
    "FieldValueTooMany",
    field,
    actual,
    `must have at most ${maximum} ${maximum === 1 ? "item" : "items"}`,
  );
}
