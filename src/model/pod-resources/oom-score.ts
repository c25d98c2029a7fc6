/** Whom the kernel kills first when memory runs out: the containers' oom_score_adj by upstream's rules. Pure. */
import type { Container, Pod } from "../../api/generated/types.ts";
import { parseQuantity } from "../../lib/quantity/index.ts";

/** Of containers that go last: Guaranteed, and what a node cannot do without. */
const last = -997;
const first = 1000;
const nano = 1_000_000_000n;

/**
 * From -997 to 1000: the more memory a Burstable container asks for, the lower. `capacityBytes` is the node's memory. Undefined
 * where the pod's class is not known yet.
 */
export function oomScoreAdjust(
  pod: Pod,
  container: Pick<Container, "name" | "resources">,
  capacityBytes: number,
): number | undefined {
  if (pod.spec?.priorityClassName === "system-node-critical") return last;
  switch (pod.status?.qosClass) {
    case "Guaranteed":
      return last;
    case "BestEffort":
      return first;
    case "Burstable":
      return burstable(pod, container, capacityBytes);
    case undefined:
    default:
      return undefined;
  }
}

function burstable(pod: Pod, container: Pick<Container, "name" | "resources">, capacityBytes: number): number {
  const own = shareOf(container, capacityBytes);
  const isSidecar = (pod.spec?.initContainers ?? []).some(
    ({ name, restartPolicy }) => name === container.name && restartPolicy === "Always",
  );
  // A sidecar goes no sooner than the containers that it serves.
  const others = isSidecar ? (pod.spec?.containers ?? []).map((each) => shareOf(each, capacityBytes)) : [];
  const adjust = Math.min(own, ...(others.length === 0 ? [] : [Math.max(...others)]));
  return Math.min(Math.max(adjust, first + last), first - 1);
}

function shareOf({ resources }: Pick<Container, "resources">, capacityBytes: number): number {
  const request = parseQuantity(resources?.requests?.["memory"] ?? "0").nano;
  // Whole numbers, as upstream: the share is cut, not rounded. Bytes are counted in whole ones, rounded up.
  const bytes = (request + nano - 1n) / nano;
  return first - Number((1000n * bytes) / BigInt(Math.max(1, Math.floor(capacityBytes))));
}
