/** Does a row of samples stay where it is? */

export interface Trend {
  /** From the middle to the end, by the median of all slopes between two samples: no single sample decides. */
  readonly growth: number;
  readonly isFlat: boolean;
}

/**
 * Looks at the second half of samples taken at even distances: before, caches and histories fill up to their bounds. Flat is
 * what grows by no more than `tolerance` (a share of its level, at least one), or shrinks.
 */
export function trendOf(samples: readonly number[], tolerance: number): Trend {
  const half = samples.slice(Math.floor(samples.length / 2));
  const slopes = half.flatMap((from, index) =>
    half.slice(index + 1).map((to, distance) => (to - from) / (distance + 1)),
  );
  const growth = medianOf(slopes) * (half.length - 1);
  return { growth, isFlat: growth <= Math.max(1, tolerance * medianOf(half)) };
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
