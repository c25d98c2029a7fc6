/** Counts what has ended. A pod's uid waits in the status until its finalizer is gone, so that none is counted twice. */
import type { Job, Pod } from "../../api/generated/types.ts";
import { verdictOn } from "./failure-policy.ts";
import { formatIndexes, parseIndexes } from "./indexes.ts";
import { indexOf, isFailed, isIndexed, isSucceeded, isTracked } from "./pods.ts";

export interface Counts {
  /** Of pods that are counted for good. */
  readonly succeeded: number;
  readonly failed: number;
  /** Uids that are being counted. */
  readonly uncounted: { readonly succeeded: readonly string[]; readonly failed: readonly string[] };
  readonly completedIndexes: ReadonlySet<number>;
  readonly failedIndexes: ReadonlySet<number>;
  /** The message of the rule of the failure policy that ends the job. */
  readonly failJob: string | undefined;
}

/** What counts by now: counted for good or about to be. */
export function totals({ spec }: Job, counts: Counts): { readonly succeeded: number; readonly failed: number } {
  const isByIndex = spec?.completionMode === "Indexed";
  return {
    succeeded: isByIndex ? counts.completedIndexes.size : counts.succeeded + counts.uncounted.succeeded.length,
    failed: counts.failed + counts.uncounted.failed.length,
  };
}

export function countPods(job: Job, pods: readonly Pod[]): Counts {
  const { status, spec } = job;
  const completions = spec?.completions ?? 0;
  const tracked = pods.filter(isTracked);
  const held = new Set(tracked.map(({ metadata }) => metadata?.uid ?? ""));
  const before = status?.uncountedTerminatedPods ?? {};
  const [succeededBefore, failedBefore] = [before.succeeded ?? [], before.failed ?? []];
  const completed = new Set(parseIndexes(status?.completedIndexes ?? "", completions));
  const failedIndexes = new Set(parseIndexes(status?.failedIndexes ?? "", completions));
  const succeededNow = succeededBefore.filter((uid) => held.has(uid));
  const failedNow = failedBefore.filter((uid) => held.has(uid));
  let failJob: string | undefined;
  for (const pod of tracked) {
    const uid = pod.metadata?.uid ?? "";
    const index = indexOf(pod);
    if (isSucceeded(pod)) {
      if (isIndexed(job) && (index === undefined || index >= completions)) continue;
      if (index !== undefined) completed.add(index);
      if (!succeededNow.includes(uid)) succeededNow.push(uid);
    } else if (isFailed(job, pod)) {
      const { action, message } = verdictOn(job, pod);
      if (action === "FailJob") failJob ??= message;
      if (action === "FailIndex" && index !== undefined) failedIndexes.add(index);
      if (action !== "Ignore" && !failedNow.includes(uid)) failedNow.push(uid);
    }
  }
  if (spec?.backoffLimitPerIndex !== undefined) {
    for (const index of exhaustedIndexes(job, pods)) failedIndexes.add(index);
  }
  for (const index of completed) failedIndexes.delete(index);
  return {
    succeeded: isIndexed(job)
      ? (status?.succeeded ?? 0)
      : (status?.succeeded ?? 0) + succeededBefore.length - succeededBefore.filter((uid) => held.has(uid)).length,
    failed: (status?.failed ?? 0) + failedBefore.length - failedBefore.filter((uid) => held.has(uid)).length,
    uncounted: { succeeded: succeededNow, failed: failedNow },
    completedIndexes: completed,
    failedIndexes,
    failJob,
  };
}

/** Indexes with more failures than each may have. */
function exhaustedIndexes(job: Job, pods: readonly Pod[]): readonly number[] {
  const failures = new Map<number, number>();
  for (const pod of pods) {
    const index = indexOf(pod);
    if (index === undefined || !isFailed(job, pod) || verdictOn(job, pod).action === "Ignore") continue;
    failures.set(index, (failures.get(index) ?? 0) + 1);
  }
  const limit = job.spec?.backoffLimitPerIndex ?? 0;
  return [...failures].filter(([, count]) => count > limit).map(([index]) => index);
}

export function indexTexts(
  job: Job,
  counts: Counts,
): { readonly completedIndexes?: string; readonly failedIndexes?: string } {
  if (!isIndexed(job)) return {};
  const completedIndexes = formatIndexes(counts.completedIndexes);
  return {
    ...(completedIndexes === "" ? {} : { completedIndexes }),
    ...(job.spec?.backoffLimitPerIndex === undefined ? {} : { failedIndexes: formatIndexes(counts.failedIndexes) }),
  };
}
