import { isJsonObject, ObjectBuilder } from "./json-value.ts";

/** Applies a JSON merge patch (RFC 7386): null removes, objects merge, all else replaces. Changes neither argument. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return patch;
  const result = new ObjectBuilder(isJsonObject(target) ? target : {});
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key);
    else result.set(key, applyMergePatch(result.get(key), value));
  }
  return result.build();
}
