/**
 * Freezes a tree of JSON values in place and returns it. What is already frozen is taken to be frozen to its leaves, so
 * objects that several informers share cost one walk.
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const child of Object.values(value)) deepFreeze(child);
  return value;
}
