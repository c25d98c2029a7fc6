/** Does a row of samples stay where it is? */

export interface Trend {
  /** From the middle to the end. */
  readonly growth: number;
  readonly isFlat: boolean;
}

/**
 * Compares the peaks of the last two quarters of samples taken at even distances: before, caches and histories fill up to their
 * bounds, and what is collected now and then goes up and down. Flat is what grows by no more than `tolerance` (a share of its
 * level, at least one), or shrinks.
 */
export function trendOf(samples: readonly number[], tolerance: number): Trend {
  const quarter = Math.floor((samples.length - 1) / 4);
  const third = peakOf(samples.slice(2 * quarter, 3 * quarter + 1));
  const last = peakOf(samples.slice(3 * quarter));
  const growth = 2 * (last - third);
  return { growth, isFlat: growth <= Math.max(1, tolerance * third) };
}

/** The second highest: one sample does not make a peak. */
function peakOf(samples: readonly number[]): number {
  const [highest = 0, second = highest] = samples.toSorted((a, b) => b - a);
  return second;
}
