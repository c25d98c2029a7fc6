/** Does the same thing many times: once, then two at a time, four, …, so that what fails at once fails once. */

/** Resolves with the first error, after which nothing more is begun; undefined where all went well. */
export async function slowStart(count: number, action: () => Promise<void>): Promise<Error | undefined> {
  let remaining = count;
  for (let batch = 1; remaining > 0; batch *= 2) {
    const size = Math.min(batch, remaining);
    const results = await Promise.allSettled(Array.from({ length: size }, action));
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) return failed.reason instanceof Error ? failed.reason : new Error(String(failed.reason));
    remaining -= size;
  }
  return undefined;
}
