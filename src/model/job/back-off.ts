/** How long a job waits after failures before it makes the next pod. */
import type { Job, Pod } from "../../api/generated/types.ts";
import { endedAtMs, isFailed, isSucceeded } from "./pods.ts";

const firstMs = 10_000;
const maxMs = 600_000;

/**
 * When the next pod may be made, in milliseconds since the epoch: ten seconds after the first failure in a row, then
 * doubled, at most ten minutes. Read from the pods that have ended, so that it outlives the controller.
 */
export function backOffUntilMs(job: Job, pods: readonly Pod[]): number {
  const ended = pods
    .filter((pod) => isSucceeded(pod) || isFailed(job, pod))
    .map((pod) => ({ at: endedAtMs(pod), isSuccess: isSucceeded(pod) }))
    .toSorted((a, b) => a.at - b.at);
  const failures = ended.slice(ended.findLastIndex(({ isSuccess }) => isSuccess) + 1);
  const last = failures.at(-1);
  return last === undefined ? 0 : last.at + Math.min(firstMs * 2 ** (failures.length - 1), maxMs);
}
