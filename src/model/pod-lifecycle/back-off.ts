/** The growing waits before a crashed container is started, or a failed image pulled, again: upstream's 10 s doubling to 5 min. */

export interface BackOff {
  readonly delayMs: number;
  /** When it was last raised. */
  readonly raisedAtMs: number;
}

const firstMs = 10_000;
const maxMs = 300_000;

/**
 * The back-off after one more try. It starts anew where the event (the container's end) came more than twice the
 * longest wait after the last raise.
 */
export function raiseBackOff(
  backOff: BackOff | undefined,
  when: { readonly nowMs: number; readonly eventMs: number },
): BackOff {
  const isStale = backOff === undefined || when.eventMs - backOff.raisedAtMs > 2 * maxMs;
  return {
    delayMs: isStale ? firstMs : Math.min(backOff.delayMs * 2, maxMs),
    raisedAtMs: when.nowMs,
  };
}

/** When the wait that counts from `eventMs` is over; not in the future where nothing has to be waited for. */
export function backOffEndMs(
  backOff: BackOff | undefined,
  { eventMs, nowMs }: { readonly eventMs: number; readonly nowMs: number },
): number {
  const delayMs = backOff === undefined || eventMs - backOff.raisedAtMs > 2 * maxMs ? 0 : backOff.delayMs;
  return notFurtherThan(delayMs, { atMs: eventMs + delayMs, nowMs });
}

/**
 * `atMs`, or `nowMs` where that is further away than it can have been when it was set: the clock was set back since, and
 * nobody shall wait for as long as that.
 */
export function notFurtherThan(
  longestMs: number,
  { atMs, nowMs }: { readonly atMs: number; readonly nowMs: number },
): number {
  return atMs - nowMs > longestMs ? nowMs : atMs;
}

/** The longest wait before anything is tried again. */
export const longestRetryMs = maxMs;

/** As upstream's messages write it: "10s", "1m20s", "5m0s". */
export function backOffText(backOff: Pick<BackOff, "delayMs">): string {
  const seconds = backOff.delayMs / 1000;
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
