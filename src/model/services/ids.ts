/**
 * Small numbers for names, kept as long as the name is in use. A freed number comes back only after all others, because
 * connections and affinity entries may still carry it.
 */
export interface Ids {
  readonly numbers: Map<string, number>;
  readonly taken: Set<number>;
  /** The last number given. */
  last: number;
  readonly max: number;
}

/** `known`: numbers that were given earlier, as read back from the kernel; of two names with one number the first keeps it. */
export function createIds(max: number, known: Iterable<readonly [name: string, id: number]> = []): Ids {
  const ids: Ids = { numbers: new Map(), taken: new Set(), last: 0, max };
  for (const [name, id] of known) {
    if (id < 1 || id > max || ids.taken.has(id) || ids.numbers.has(name)) continue;
    ids.numbers.set(name, id);
    ids.taken.add(id);
    ids.last = Math.max(ids.last, id);
  }
  return ids;
}

/** Throws RangeError when all numbers are taken. */
export function takeId(ids: Ids, name: string): number {
  const known = ids.numbers.get(name);
  if (known !== undefined) return known;
  if (ids.taken.size >= ids.max) throw new RangeError(`Cannot number ${name}: all ${ids.max} numbers are taken`);
  do ids.last = (ids.last % ids.max) + 1;
  while (ids.taken.has(ids.last));
  ids.numbers.set(name, ids.last);
  ids.taken.add(ids.last);
  return ids.last;
}

export function freeId(ids: Ids, name: string): void {
  const id = ids.numbers.get(name);
  if (id === undefined) return;
  ids.numbers.delete(name);
  ids.taken.delete(id);
}
