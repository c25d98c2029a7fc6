/** Small checks that the validations of many kinds are made of. Each returns the mistakes it found. */
import { duplicateValue, invalidValue, requiredValue, unsupportedValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";

export const portRange = "must be between 1 and 65535, inclusive";
export const addressSentence = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
export const cidrSentence = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

export function isPort(port: unknown): port is number {
  return typeof port === "number" && port >= 1 && port <= 65_535;
}

/** An enumerated field; an absent or empty value is missing. `supported` is printed sorted, as upstream does. */
export function oneOf(value: string | undefined, supported: readonly string[], field: string): FieldError[] {
  if (value === undefined || value === "") return [requiredValue(field)];
  return supported.includes(value) ? [] : [unsupportedValue(field, value, supported.toSorted())];
}

/** The same where upstream prints them in an order of its own. */
export function oneOfListed(value: string | undefined, supported: readonly string[], field: string): FieldError[] {
  if (value === undefined || value === "") return [requiredValue(field)];
  return supported.includes(value) ? [] : [unsupportedValue(field, value, supported)];
}

/** An enumerated field that may be left out. */
export function optionalOneOf(value: string | undefined, supported: readonly string[], field: string): FieldError[] {
  return value === undefined ? [] : oneOf(value, supported, field);
}

export function nonNegative(value: number | undefined, field: string): FieldError[] {
  return value === undefined || value >= 0 ? [] : [invalidValue(field, value, "must be greater than or equal to 0")];
}

/** Reports each later item whose key an earlier one has. Empty keys are left alone. */
export function repeated<T>(
  items: readonly T[],
  keyOf: (item: T) => string | undefined,
  fieldAt: (index: number) => string,
): FieldError[] {
  const seen = new Set<string>();
  return items.flatMap((item, index) => {
    const key = keyOf(item);
    if (key === undefined || key === "") return [];
    if (seen.has(key)) return [duplicateValue(fieldAt(index), key)];
    seen.add(key);
    return [];
  });
}
