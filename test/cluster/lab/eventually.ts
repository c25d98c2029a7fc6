import { setTimeout as sleep } from "node:timers/promises";

/**
 * Polls `attempt` until it returns without throwing, and returns its value; rejects with its last error after
 * `timeoutMs`.
 */
export async function eventually<T>(
  attempt: () => T | Promise<T>,
  options: { readonly timeoutMs?: number } = {},
): Promise<T> {
  const deadline = performance.now() + (options.timeoutMs ?? 20_000);
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(50);
    }
  }
}
