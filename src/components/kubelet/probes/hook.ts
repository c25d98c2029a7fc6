/** A container's hook after its start or before its stop. */
import type { LifecycleHandler } from "../../../api/generated/types.ts";
import type { Clock } from "../../../machinery/clock.ts";
import { httpGet } from "./http-get.ts";
import type { ProbeTarget } from "./target.ts";

/** Upstream sets hooks no limit but the grace period; this is the runtime's, for those that never end. */
const longestExecMs = 24 * 3600 * 1000;

/** Resolves with what went wrong; undefined: nothing. */
export async function runHook(
  hook: LifecycleHandler,
  target: ProbeTarget,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<string | undefined> {
  try {
    if (hook.exec !== undefined) {
      const { exitCode, output } = await target.execSync(hook.exec.command ?? [], longestExecMs);
      return exitCode === 0
        ? undefined
        : `command '${(hook.exec.command ?? []).join(" ")}' exited with ${exitCode}: ${output}`;
    }
    if (hook.httpGet !== undefined) {
      const { isSuccess, output } = await httpGet(hook.httpGet, target, signal);
      return isSuccess ? undefined : output;
    }
    if (hook.sleep !== undefined) await clock.sleep(hook.sleep.seconds * 1000, signal);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
