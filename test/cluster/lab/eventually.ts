import { setTimeout as sleep } from "node:timers/promises";
import { patience } from "../../patience.ts";

/**
 * Polls `attempt` until it returns without throwing, and returns its value; rejects with its last error after
 * `timeoutMs`, or as many times that as the machine needs (`patience`).
 */
export async function eventually<T>(
  attempt: () => T | Promise<T>,
  options: { readonly timeoutMs?: number } = {},
): Promise<T> {
  const deadline = performance.now() + (options.timeoutMs ?? 20_000) * patience;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(50);
    }
  }
}
