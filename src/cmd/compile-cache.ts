/** Keeps V8's compiled code between starts, beside the bundle: a seventh of a boot is compiling the same files again. */
import { enableCompileCache, flushCompileCache } from "node:module";
import { fileURLToPath } from "node:url";
import type { Clock } from "../machinery/clock.ts";

/** From source there is none. Where the folder cannot be written (a package of root's), Node goes on without. */
export function useCompileCache(): void {
  if (import.meta.url.endsWith(".ts")) return;
  enableCompileCache(fileURLToPath(new URL(".compile-cache", import.meta.url)));
}

/** Long after a boot, when nothing waits for it. */
const delayMs = 3000;

/** For processes that are ended without a chance to write at their exit. */
export async function writeCompileCacheLater(clock: Clock, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(delayMs, signal);
  } catch {
    return;
  }
  flushCompileCache();
}
