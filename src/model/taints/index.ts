/** Taints keep pods off a node; tolerations let them on, for ever or for a time. */
import type { Pod, Taint, Toleration } from "../../api/generated/types.ts";

/** An empty key with `Exists` tolerates all, an absent effect all effects. */
export function tolerates(
  { key = "", operator = "Equal", value = "", effect = "" }: Toleration,
  taint: Taint,
): boolean {
  if (effect !== "" && effect !== taint.effect) return false;
  if (key !== "" && key !== taint.key) return false;
  if (operator === "Exists") return true;
  return key !== "" && value === (taint.value ?? "");
}

/** The first of the taints that the pod does not tolerate. */
export function untoleratedTaint(tolerations: readonly Toleration[], taints: readonly Taint[]): Taint | undefined {
  return taints.find((taint) => !tolerations.some((toleration) => tolerates(toleration, taint)));
}

/**
 * When a `NoExecute` taint makes the pod go, in milliseconds since the epoch: in the past, now, or later; undefined where
 * it may stay. Counted from the taint's time, or from the pod's creation where that is later.
 */
export function evictionTimeMs(pod: Pod, taints: readonly Taint[]): number | undefined {
  const times: number[] = [];
  const createdAt = Date.parse(pod.metadata?.creationTimestamp ?? "") || 0;
  for (const taint of taints) {
    if (taint.effect !== "NoExecute") continue;
    const from = Math.max(Date.parse(taint.timeAdded ?? "") || 0, createdAt);
    const matching = (pod.spec?.tolerations ?? []).filter((toleration) => tolerates(toleration, taint));
    if (matching.length === 0) return from;
    const limits = matching.map(({ tolerationSeconds }) => tolerationSeconds).filter((limit) => limit !== undefined);
    if (limits.length > 0) times.push(from + Math.max(Math.min(...limits), 0) * 1000);
  }
  return times.length === 0 ? undefined : Math.min(...times);
}
