/** Runs work at once or later: of what waits, that of the highest priority first, else what came first. */
export type StartLimit = <T>(work: () => Promise<T>, priority?: number) => Promise<T>;

interface Waiting {
  readonly priority: number;
  readonly begin: () => void;
}

/** Lets at most `most` pieces of work run at once. */
export function limitConcurrency(most: number): StartLimit {
  const waiting: Waiting[] = [];
  let running = 0;
  return async (work, priority = 0) => {
    if (running >= most) {
      await new Promise<void>((begin) => {
        const before = waiting.findIndex((other) => other.priority < priority);
        waiting.splice(before === -1 ? waiting.length : before, 0, { priority, begin });
      });
    } else running += 1;
    try {
      return await work();
    } finally {
      // The place passes to the next in line; only without one does it become free.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next.begin();
    }
  };
}
