/**
 * Freezes a tree of JSON values in place and returns it. What is already frozen is taken to be frozen to its leaves, so
 * parts shared with an earlier version cost nothing.
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  if (Array.isArray(value)) for (const item of value) deepFreeze(item);
  // JSON values inherit nothing; every version of every object passes here.
  // oxlint-disable-next-line guard-for-in
  else for (const key in value) deepFreeze(value[key]);
  return value;
}
