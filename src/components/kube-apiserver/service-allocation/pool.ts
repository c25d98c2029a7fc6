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
 * pool derives the use from the objects, so nothing can leak.
 */
export class Pool {
  readonly #range: PoolRange;
  readonly #uses = new Map<number, number>();

  constructor(range: PoolRange) {
    this.#range = range;
  }

  contains(value: number): boolean {
    return value >= this.#range.first && value <= this.#range.last;
  }

  isUsed(value: number): boolean {
    return this.#uses.has(value);
  }

  use(value: number): void {
    this.#uses.set(value, (this.#uses.get(value) ?? 0) + 1);
  }

  release(value: number): void {
    const uses = (this.#uses.get(value) ?? 0) - 1;
    if (uses > 0) this.#uses.set(value, uses);
    else this.#uses.delete(value);
  }

  /** A free number, from the upper part as long as it has one; undefined when all are used. */
  pick(): number | undefined {
    const { first, last, staticCount } = this.#range;
    const dynamic = Math.min(first + staticCount, last + 1);
    return this.#pickBetween(dynamic, last) ?? this.#pickBetween(first, dynamic - 1);
  }

  #pickBetween(first: number, last: number): number | undefined {
    if (last < first) return undefined;
    for (let tries = 0; tries < randomTries; tries += 1) {
      const value = randomInt(first, last + 1);
      if (!this.#uses.has(value)) return value;
    }
    for (let value = first; value <= last; value += 1) if (!this.#uses.has(value)) return value;
    return undefined;
  }
}

/** Upstream's sizes of the lower part: a share of the range, within limits. */
export function staticCountOf(
  size: number,
  { share, least, most }: { readonly share: number; readonly least: number; readonly most: number },
): number {
  if (size <= least) return 0;
  return Math.min(Math.max(least, Math.floor(size / share)), most);
}
