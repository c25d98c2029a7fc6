/** Which pods go first when there are too many: upstream's order, so that scaling down hurts least. */
import type { Pod } from "../../api/generated/types.ts";
import { isPodReady, podCondition } from "../workload/index.ts";

export interface DeletionOptions {
  /** Active pods of the same Deployment on the pod's node, its own included. */
  readonly neighbours: (pod: Pod) => number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

type Comparison = (a: Pod, b: Pod) => number;

/** The pods, the first to delete in front. */
export function deletionOrder(pods: readonly Pod[], { neighbours, now }: DeletionOptions): readonly Pod[] {
  const age = ageClass(now);
  // The first comparison that tells two pods apart decides; negative: `a` goes first.
  const order: readonly Comparison[] = [
    // 1. Not assigned to a node before assigned.
    by((pod) => (pod.spec?.nodeName ?? "") !== ""),
    // 2. Pending before unknown before running.
    by((pod) => phaseRank[pod.status?.phase ?? "Pending"] ?? 1),
    // 3. Not ready before ready.
    by(isPodReady),
    // 4. The lower `pod-deletion-cost` annotation.
    by(deletionCost),
    // 5. More pods of the same kind on its node.
    by((pod) => -neighbours(pod)),
    // 6. Ready for a shorter time, on a logarithmic scale.
    by((pod) => (isPodReady(pod) ? age(podCondition(pod, "Ready")?.lastTransitionTime) : 0)),
    // 7. More restarts.
    by((pod) => -Math.max(0, ...(pod.status?.containerStatuses ?? []).map(({ restartCount }) => restartCount))),
    // 8. Younger, on a logarithmic scale; then by uid, which is random but stable.
    by((pod) => age(pod.metadata?.creationTimestamp)),
    (a, b) => ((a.metadata?.uid ?? "") < (b.metadata?.uid ?? "") ? -1 : 1),
  ];
  return pods.toSorted((a, b) => {
    for (const compare of order) {
      const difference = compare(a, b);
      if (difference !== 0) return difference;
    }
    return 0;
  });
}

const phaseRank: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

function by(value: (pod: Pod) => number | boolean): Comparison {
  return (a, b) => Number(value(a)) - Number(value(b));
}

function deletionCost(pod: Pod): number {
  const text = pod.metadata?.annotations?.["controller.kubernetes.io/pod-deletion-cost"] ?? "0";
  return /^(0|-?[1-9][0-9]*)$/.test(text) ? Number(text) : 0;
}

/** Ages that differ by less than a factor of two count as equal, so that not always the newest node's pods go. */
function ageClass(now: number): (time: string | undefined) => number {
  return (time) => {
    const age = now - Date.parse(time ?? "");
    return age > 0 ? Math.floor(Math.log2(age)) + 1 : 0;
  };
}
