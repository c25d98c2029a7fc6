/** Numbers that are given out one at a time: addresses as their offset in the range, ports as they are. */
import { randomInt } from "node:crypto";

/** `first` to `last`; what users choose themselves is kept apart in the lower part, as upstream does. */
export interface PoolRange {
  readonly first: number;
  readonly last: number;
  /** How many numbers from the start are given out by chance only when the rest is taken. */
  readonly staticCount: number;
}

/** How often a random number is tried before the range is searched in order. */
const randomTries = 16;

/**
 * Counts who uses a number, because for a moment two versions of one object may. Nothing is stored: the owner of the
 * counts derives the use from the objects, so nothing can leak.
 */
export class Uses<T extends number | bigint> {
  readonly #counts = new Map<T, number>();

  has(value: T): boolean {
    return this.#counts.has(value);
  }

  use(value: T): void {
    this.#counts.set(value, (this.#counts.get(value) ?? 0) + 1);
  }

  release(value: T): void {
    const uses = (this.#counts.get(value) ?? 0) - 1;
    if (uses > 0) this.#counts.set(value, uses);
    else this.#counts.delete(value);
  }
}

/** A free number of the range, from the upper part as long as it has one; undefined when all are used. */
export function pickFree(
  { first, last, staticCount }: PoolRange,
  isUsed: (value: number) => boolean,
): number | undefined {
  const dynamic = Math.min(first + staticCount, last + 1);
  return pickBetween(dynamic, last, isUsed) ?? pickBetween(first, dynamic - 1, isUsed);
}

function pickBetween(first: number, last: number, isUsed: (value: number) => boolean): number | undefined {
  if (last < first) return undefined;
  for (let tries = 0; tries < randomTries; tries += 1) {
    const value = randomInt(first, last + 1);
    if (!isUsed(value)) return value;
  }
  for (let value = first; value <= last; value += 1) if (!isUsed(value)) return value;
  return undefined;
}

/** Upstream's sizes of the lower part: a share of the range, within limits. */
export function staticCountOf(
  size: number,
  { share, least, most }: { readonly share: number; readonly least: number; readonly most: number },
): number {
  if (size <= least) return 0;
  return Math.min(Math.max(least, Math.floor(size / share)), most);
}
