/** A deep copy of a JSON value: several times as fast as `structuredClone`, which has more kinds of values to think of. */
export function jsonCopy<T>(value: T): T {
  return copyOf(value) as T;
}

function copyOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copyOf);
  const result: Record<string, unknown> = {};
  for (const key in value) {
    if (!Object.hasOwn(value, key)) continue;
    const part = copyOf((value as Readonly<Record<string, unknown>>)[key]);
    // `__proto__` is a key like any other in JSON, but an assignment would set the prototype.
    if (key === "__proto__") {
      Object.defineProperty(result, key, { value: part, enumerable: true, writable: true, configurable: true });
    } else result[key] = part;
  }
  return result;
}
