/** Whether a job is done, and why: upstream's reasons and messages. */
import type { Job, Pod } from "../../api/generated/types.ts";
import type { Finish } from "./conditions.ts";
import { totals } from "./count.ts";
import type { Counts } from "./count.ts";
import { parseIndexes } from "./indexes.ts";
import { isIndexed } from "./pods.ts";

interface Facts {
  readonly active: readonly Pod[];
  readonly counts: Counts;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function finishOf(job: Job, facts: Facts): Finish | undefined {
  return failureOf(job, facts) ?? successOf(job, facts);
}

function failureOf(job: Job, { active, counts, now }: Facts): Finish | undefined {
  const { spec, status } = job;
  const fail = (reason: string, message: string): Finish => ({ isSuccess: false, reason, message });
  if (counts.failJob !== undefined) return fail("PodFailurePolicy", counts.failJob);
  const { backoffLimit = 6, activeDeadlineSeconds, maxFailedIndexes, completions = 0 } = spec ?? {};
  if (totals(job, counts).failed > backoffLimit || hasRestartedTooOften(job, active, backoffLimit)) {
    return fail("BackoffLimitExceeded", "Job has reached the specified backoff limit");
  }
  const started = Date.parse(status?.startTime ?? "");
  if (spec?.suspend !== true && activeDeadlineSeconds !== undefined && now - started >= activeDeadlineSeconds * 1000) {
    return fail("DeadlineExceeded", "Job was active longer than specified deadline");
  }
  if (isIndexed(job) && spec?.backoffLimitPerIndex !== undefined) {
    if (maxFailedIndexes !== undefined && counts.failedIndexes.size > maxFailedIndexes) {
      return fail("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
    }
    const { failedIndexes, completedIndexes } = counts;
    if (failedIndexes.size > 0 && failedIndexes.size + completedIndexes.size >= completions) {
      return fail("FailedIndexes", "Job has failed indexes");
    }
  }
  return undefined;
}

/** With `restartPolicy: OnFailure` the kubelet restarts containers in place: their restarts are the failures. */
function hasRestartedTooOften({ spec }: Job, active: readonly Pod[], limit: number): boolean {
  if (spec?.template.spec?.restartPolicy !== "OnFailure") return false;
  const restarts = active.flatMap(({ status }) =>
    status?.phase === "Running" || status?.phase === "Pending"
      ? [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]
      : [],
  );
  const sum = restarts.reduce((total, { restartCount }) => total + restartCount, 0);
  return limit === 0 ? sum > 0 : sum >= limit;
}

function successOf(job: Job, { active, counts }: Facts): Finish | undefined {
  const { spec } = job;
  const { succeeded } = totals(job, counts);
  for (const [index, rule] of (isIndexed(job) ? (spec?.successPolicy?.rules ?? []) : []).entries()) {
    const meant =
      rule.succeededIndexes === undefined ? undefined : parseIndexes(rule.succeededIndexes, spec?.completions ?? 0);
    const matching = [...counts.completedIndexes].filter((completed) => meant?.has(completed) ?? true).length;
    if (matching >= (rule.succeededCount ?? meant?.size ?? Infinity)) {
      return { isSuccess: true, reason: "SuccessPolicy", message: `Matched rules at index ${index}` };
    }
  }
  const isReached =
    spec?.completions === undefined ? succeeded > 0 && active.length === 0 : succeeded >= spec.completions;
  if (!isReached || (spec?.suspend === true && spec.completions === undefined)) return undefined;
  return { isSuccess: true, reason: "CompletionsReached", message: "Reached expected number of succeeded pods" };
}
