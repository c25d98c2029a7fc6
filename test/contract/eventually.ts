import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { patience } from "../patience.ts";

/** Looks again and again until there is something, which it returns; `undefined` and `false` are nothing yet. */
export async function eventually<T>(what: string, look: () => Promise<T>): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + 10_000 * patience;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found as Exclude<T, undefined | false>;
    if (performance.now() > deadline) assert.fail(`did not come to pass: ${what}`);
    await setImmediate();
  }
}
