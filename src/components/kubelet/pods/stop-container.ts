/** Ends a container: its hook, its signal, and what happens when neither is heard. */
import type { LifecycleHandler } from "../../../api/generated/types.ts";
import type { ContainerStatus } from "../../../container/runtime.ts";
import type { KillCause } from "../../../model/pod-lifecycle/index.ts";
import { runHook } from "../probes/hook.ts";
import { probeTarget } from "./container-probes.ts";
import type { PodScope } from "./pod-context.ts";
import { findContainer } from "./find-container.ts";
import type { AnyContainer } from "./find-container.ts";
import { killGraceSeconds } from "./grace.ts";
import type { TrackedContainer } from "./tracked-container.ts";

export interface StopRequest {
  readonly container: string;
  readonly id: string;
  /** A probe, the failed hook after its start, or the end of its pod. */
  readonly cause: KillCause | "pod" | "hook";
}

/**
 * Between a pod's deletion and the end of its processes: endpoints and the rules of all nodes follow meanwhile, so that no
 * new connection meets a closed port. Upstream leaves the gap to its users, who put `sleep` into a preStop hook.
 */
const drainMs = 300;

/** A hook that used up the grace period leaves this much for the signal, as upstream has it. */
const leastAfterHookMs = 2000;

/** Resolves with the final status. Rejects when the runtime cannot end it. */
export async function stopContainer(
  scope: PodScope,
  request: StopRequest,
  tracked: TrackedContainer,
): Promise<ContainerStatus> {
  const { context, pod } = scope;
  const { clock, events, runtime } = context;
  const container = findContainer(pod(), request.container);
  const graceMs = 1000 * killGraceSeconds(pod(), container, request.cause);
  const killAtMs = clock.now() + graceMs;
  tracked.killAtMs = killAtMs;
  events.normal(pod(), request.container, "Killing", killText(request));
  if (request.cause === "pod" && graceMs > 0 && context.isServed(pod())) {
    await clock.sleep(Math.min(drainMs, graceMs), scope.signal).catch(() => undefined);
  }
  const hook = container?.lifecycle?.preStop;
  if (hook !== undefined && container !== undefined) {
    const problem = await runPreStop(scope, hook, { container, id: request.id, graceMs });
    if (problem !== undefined) events.warning(pod(), request.container, "FailedPreStopHook", "PreStopHook failed");
  }
  // Never more than all of it: the clock may have been set back.
  const leftMs = Math.min((tracked.killAtMs ?? killAtMs) - clock.now(), graceMs);
  const restMs = Math.max(leftMs, Math.min(graceMs, leastAfterHookMs));
  return runtime.stop(request.id, { graceMs: restMs });
}

async function runPreStop(
  scope: PodScope,
  hook: LifecycleHandler,
  { container, id, graceMs }: { readonly container: AnyContainer; readonly id: string; readonly graceMs: number },
): Promise<string | undefined> {
  const { context, signal } = scope;
  const ended = new AbortController();
  const problem = runHook(hook, probeTarget(scope, container, id), { clock: context.clock, signal });
  const limit = context.clock.sleep(graceMs, AbortSignal.any([signal, ended.signal])).then(
    () => "the grace period ended first",
    () => undefined,
  );
  try {
    return await Promise.race([problem, limit]);
  } finally {
    ended.abort();
  }
}

function killText({ container, cause }: StopRequest): string {
  if (cause === "pod") return `Stopping container ${container}`;
  if (cause === "hook") return "FailedPostStartHook";
  return `Container ${container} failed ${cause} probe, will be restarted`;
}
