/**
 * The record's own value under a key that somebody else has chosen. `record[key]` would find `constructor`, `toString`
 * and the like in every object, and those are names like any other of labels, of keys and of types.
 */
export function own<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}
