/** `activeDeadlineSeconds`: how long a pod may take on its node, whatever it does. */
import type { PodFacts } from "./facts.ts";

/** Whether they have passed since the node took the pod. A pod that had ended before stays what it was. */
export function isPastDeadline(facts: PodFacts): boolean {
  const { phase, reason } = facts.pod.status ?? {};
  if (phase === "Succeeded" || phase === "Failed") return reason === deadlineReason;
  const deadline = deadlineMs(facts);
  return deadline !== undefined && deadline <= facts.nowMs;
}

export const deadlineReason = "DeadlineExceeded";

export function deadlineMs({ pod, startTimeMs }: PodFacts): number | undefined {
  const seconds = pod.spec?.activeDeadlineSeconds;
  return seconds === undefined ? undefined : startTimeMs + seconds * 1000;
}
