import { jsonCopy } from "../../lib/json-copy/index.ts";
import type { Draft } from "./definition.ts";

/** A private copy that may be changed. */
export function draftOf<T>(value: T): Draft<T> {
  return jsonCopy(value) as Draft<T>;
}

/** Gives `target` the part `key` of `source`, or takes it away where the source has none. */
export function copyPart<T extends object>(target: Draft<T>, source: T | undefined, key: keyof T & string): void {
  const view = target as Record<string, unknown>;
  const value = source?.[key];
  if (value === undefined) delete view[key];
  else view[key] = jsonCopy(value);
}
