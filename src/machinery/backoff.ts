/** Growing waits between tries. */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Each wait is this many times the one before. */
  readonly factor: number;
  /** 0.2 lengthens each wait by a random part of up to a fifth, so that many clients do not retry in step. */
  readonly jitter: number;
}

/** The wait before try number `attempt` (0 is the first repetition). `random` is uniform in [0, 1). */
export function backoffDelayMs(backoff: Backoff, attempt: number, random: () => number = Math.random): number {
  const grown = Math.min(backoff.firstMs * backoff.factor ** attempt, backoff.maxMs);
  return grown * (1 + backoff.jitter * random());
}
