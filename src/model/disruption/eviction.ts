/** May a pod be evicted under its disruption budget? Pure; upstream's words. */
import type { Pod, PodDisruptionBudget, PodDisruptionBudgetStatus, StatusCause } from "../../api/generated/types.ts";

export type EvictionVerdict =
  /** `status` is the budget's, with this pod counted; undefined where the eviction costs nothing. */
  | { readonly type: "allowed"; readonly status: PodDisruptionBudgetStatus | undefined }
  /** 429 with this cause. */
  | { readonly type: "refused"; readonly cause: StatusCause; readonly retryAfterSeconds: number }
  /** 403. */
  | { readonly type: "forbidden"; readonly why: string };

/** So many evictions may wait for the controller's next count. */
const mostUncounted = 2000;

export function evictionVerdict(
  pod: Pod,
  budget: PodDisruptionBudget,
  options: { readonly now: number },
): EvictionVerdict {
  const status = budget.status ?? {};
  const { currentHealthy = 0, desiredHealthy = 0, disruptionsAllowed: left = 0 } = status;
  const name = budget.metadata?.name ?? "";
  const refuse = (message: string, retryAfterSeconds: number): EvictionVerdict => ({
    type: "refused",
    cause: { reason: "DisruptionBudget", message },
    retryAfterSeconds,
  });
  // A pod that does not serve is no loss, where the budget says so or is met without it.
  const isHealthy = pod.status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") === true;
  if (pod.status?.phase === "Running" && !isHealthy) {
    const policy = budget.spec?.unhealthyPodEvictionPolicy ?? "IfHealthyBudget";
    const isMet = currentHealthy >= desiredHealthy && desiredHealthy > 0;
    if (policy === "AlwaysAllow" || isMet) return { type: "allowed", status: undefined };
  }
  if ((status.observedGeneration ?? 0) < (budget.metadata?.generation ?? 0)) {
    return refuse(`The disruption budget ${name} is still being processed by the server.`, 10);
  }
  if (left < 0) return { type: "forbidden", why: "pdb disruptions allowed is negative" };
  const uncounted = Object.keys(status.disruptedPods ?? {}).length;
  if (uncounted > mostUncounted) {
    return { type: "forbidden", why: "DisruptedPods map too big - too many evictions not confirmed by PDB controller" };
  }
  if (left === 0) {
    return refuse(
      `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`,
      0,
    );
  }
  const time = `${new Date(options.now).toISOString().slice(0, 19)}Z`;
  const disruptionsAllowed = left - 1;
  return {
    type: "allowed",
    status: {
      ...status,
      disruptionsAllowed,
      disruptedPods: { ...status.disruptedPods, [pod.metadata?.name ?? ""]: time },
      ...(disruptionsAllowed > 0
        ? {}
        : {
            conditions: (status.conditions ?? []).map((condition) =>
              condition.type === "DisruptionAllowed"
                ? { ...condition, status: "False", reason: "InsufficientPods", lastTransitionTime: time }
                : condition,
            ),
          }),
    },
  };
}
