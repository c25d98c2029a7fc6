/**
 * Freezes a tree of JSON values in place and returns it. What is already frozen is taken to be frozen to its leaves, so
 * parts shared with an earlier version cost nothing.
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
  return value;
}
