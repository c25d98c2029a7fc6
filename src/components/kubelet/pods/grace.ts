/** How long a container has to end by itself. */
import type { Pod } from "../../../api/generated/types.ts";
import type { KillCause } from "../../../model/pod-lifecycle/index.ts";
import type { AnyContainer } from "./find-container.ts";

/** Upstream's shortest grace: a forced deletion's 0 becomes 1, so that the runtime can report the end. */
const leastSeconds = 1;

/** Of a pod being deleted, what the deletion says; else what the pod's spec says. */
export function stopGraceSeconds({ metadata, spec }: Pod): number {
  const seconds =
    metadata?.deletionTimestamp === undefined
      ? (spec?.terminationGracePeriodSeconds ?? 30)
      : (metadata.deletionGracePeriodSeconds ?? spec?.terminationGracePeriodSeconds ?? 30);
  return Math.max(seconds, leastSeconds);
}

/** A probe may have a grace period of its own. */
export function killGraceSeconds(
  pod: Pod,
  container: AnyContainer | undefined,
  cause: KillCause | "pod" | "hook",
): number {
  const probe =
    cause === "liveness" ? container?.livenessProbe : cause === "startup" ? container?.startupProbe : undefined;
  return probe?.terminationGracePeriodSeconds ?? stopGraceSeconds(pod);
}
