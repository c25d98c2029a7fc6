/** What a job has to do: make or delete pods, count those that ended, say how it stands. */
import type { Job, JobCondition, JobStatus, Pod } from "../../api/generated/types.ts";
import { deletionOrder } from "../replica-set/index.ts";
import { isPodActive, isPodReady, isPodTerminal, timeText } from "../workload/index.ts";
import { backOffUntilMs } from "./back-off.ts";
import { isJobFinished, jobCondition, pendingFinish, withCondition } from "./conditions.ts";
import type { Finish } from "./conditions.ts";
import { countPods, indexTexts, totals } from "./count.ts";
import type { Counts } from "./count.ts";
import { finishOf } from "./finish.ts";
import { indexOf, isFailed, isIndexed, isTracked, jobPod } from "./pods.ts";

export interface JobInput {
  readonly job: Job;
  /** Those it owns. */
  readonly pods: readonly Pod[];
  /** Uids of pods whose deletion was asked for though the pods do not show it yet. */
  readonly deleting: ReadonlySet<string>;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

interface JobEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export interface JobPlan {
  readonly create: readonly Pod[];
  readonly remove: readonly Pod[];
  /** With the pods of the plan made and deleted. To be written before `untrack`. */
  readonly status: JobStatus;
  /** Counted in `status`: their tracking finalizer goes. */
  readonly untrack: readonly Pod[];
  readonly events: readonly JobEvent[];
  readonly lookAgainAfterMs: number | undefined;
}

/** More pods than this are not made at a time; the next look goes on. */
const burstPods = 500;

/** For a job that is not finished. */
export function planJob({ job, pods, deleting, now }: JobInput): JobPlan {
  const active = pods.filter((pod) => isPodActive(pod) && !deleting.has(pod.metadata?.uid ?? ""));
  const terminating = pods.filter((pod) => !isPodTerminal(pod) && !active.includes(pod));
  const counts = countPods(job, pods);
  const isSuspended = job.spec?.suspend === true;
  const begin = startOf(job, now);
  const finish =
    pendingFinish(job) ?? finishOf({ ...job, status: { ...job.status, ...begin.startTime } }, { active, counts, now });
  const work =
    finish !== undefined
      ? { create: [], remove: finish.isSuccess && !isEarly(job, finish) ? [] : active, waitMs: undefined }
      : job.metadata?.deletionTimestamp !== undefined
        ? { create: [], remove: [], waitMs: undefined }
        : isSuspended
          ? { create: [], remove: active, waitMs: undefined }
          : podWork(job, { active, terminating, pods, counts, now });
  const isQuiet =
    active.length === 0 &&
    terminating.length === 0 &&
    work.create.length === 0 &&
    counts.uncounted.succeeded.length + counts.uncounted.failed.length === 0;
  const { conditions, events } = conditionsOf(job, { finish: finish, isQuiet, begin, now });
  const numbers = totals(job, counts);
  const isOver = finish !== undefined && isQuiet;
  const removed = new Set(work.remove);
  const staying = active.filter((pod) => !removed.has(pod));
  const status: JobStatus = {
    ...begin.startTime,
    ...positive("active", staying.length + work.create.length),
    ready: staying.filter(isPodReady).length,
    ...positive("succeeded", isIndexed(job) ? numbers.succeeded : counts.succeeded),
    ...positive("failed", counts.failed),
    terminating: terminating.length + work.remove.length,
    uncountedTerminatedPods: {
      ...(counts.uncounted.succeeded.length === 0 ? {} : { succeeded: counts.uncounted.succeeded }),
      ...(counts.uncounted.failed.length === 0 ? {} : { failed: counts.uncounted.failed }),
    },
    ...indexTexts(job, counts),
    ...(conditions.length === 0 ? {} : { conditions }),
    ...(isOver && finish.isSuccess ? { completionTime: timeText(now) } : {}),
  };
  const untrack = pods.filter((pod) => isTracked(pod) && (isPodTerminal(pod) || isFailed(job, pod)));
  return { ...work, status, untrack, events, lookAgainAfterMs: nextLook(job, { now, waitMs: work.waitMs, begin }) };
}

function positive<Name extends string>(name: Name, count: number): { readonly [key in Name]?: number } {
  return (count === 0 ? {} : { [name]: count }) as { readonly [key in Name]?: number };
}

/** A success policy may end a job whose other pods still run. */
function isEarly({ spec }: Job, finish: Finish): boolean {
  return finish.reason === "SuccessPolicy" && spec?.successPolicy !== undefined;
}

interface Begin {
  readonly startTime: { readonly startTime?: string };
  /** It has just been suspended or resumed. */
  readonly change: "suspended" | "resumed" | undefined;
}

/** The time counts from the first look, and anew after a suspension. */
function startOf(job: Job, now: number): Begin {
  const isSuspended = job.spec?.suspend === true;
  const wasSuspended = jobCondition(job, "Suspended") !== undefined;
  const known = job.status?.startTime;
  if (isSuspended) {
    return {
      startTime: known === undefined ? {} : { startTime: known },
      change: wasSuspended ? undefined : "suspended",
    };
  }
  const change = wasSuspended ? "resumed" : undefined;
  const isNew = known === undefined || wasSuspended;
  return { startTime: { startTime: isNew ? timeText(now) : known }, change };
}

function nextLook(
  { spec }: Job,
  { now, waitMs, begin }: { readonly now: number; readonly waitMs: number | undefined; readonly begin: Begin },
): number | undefined {
  const deadline = spec?.activeDeadlineSeconds;
  const started = Date.parse(begin.startTime.startTime ?? "");
  const untilDeadline =
    deadline === undefined || Number.isNaN(started) || spec?.suspend === true
      ? undefined
      : Math.max(started + deadline * 1000 - now, 0);
  const waits = [waitMs, untilDeadline].filter((wait) => wait !== undefined && wait > 0) as number[];
  return waits.length === 0 ? undefined : Math.min(...waits);
}

interface Work {
  readonly create: readonly Pod[];
  readonly remove: readonly Pod[];
  /** When pods may be made that the back-off holds back now. */
  readonly waitMs: number | undefined;
}

function podWork(
  job: Job,
  facts: {
    readonly active: readonly Pod[];
    readonly terminating: readonly Pod[];
    readonly pods: readonly Pod[];
    readonly counts: Counts;
    readonly now: number;
  },
): Work {
  const { active, terminating, pods, counts, now } = facts;
  const { parallelism = 1, completions, podReplacementPolicy } = job.spec ?? {};
  const { succeeded } = totals(job, counts);
  const open = completions === undefined ? parallelism : completions - succeeded - counts.failedIndexes.size;
  // A queue of work: once one has succeeded, no more are begun.
  const wanted = completions === undefined && succeeded > 0 ? active.length : Math.min(open, parallelism);
  const surplus = surplusPods(job, { active, wanted, counts, now });
  if (surplus.length > 0) return { create: [], remove: surplus, waitMs: undefined };
  const waiting = podReplacementPolicy === "Failed" ? terminating.length : 0;
  const missing = Math.min(wanted - active.length - waiting, burstPods);
  if (missing <= 0) return { create: [], remove: [], waitMs: undefined };
  if (!isIndexed(job)) {
    const until = backOffUntilMs(job, pods);
    if (until > now) return { create: [], remove: [], waitMs: until - now };
    return { create: Array.from({ length: missing }, () => jobPod(job, undefined)), remove: [], waitMs: undefined };
  }
  const busy = new Set([...active, ...(podReplacementPolicy === "Failed" ? terminating : [])].map(indexOf));
  const free = Array.from({ length: completions ?? 0 }, (_, index) => index).filter(
    (index) => !busy.has(index) && !counts.completedIndexes.has(index) && !counts.failedIndexes.has(index),
  );
  const isPerIndex = job.spec?.backoffLimitPerIndex !== undefined;
  const untilOf = (index: number): number =>
    backOffUntilMs(job, isPerIndex ? pods.filter((pod) => indexOf(pod) === index) : pods);
  const create: Pod[] = [];
  let waitMs: number | undefined;
  for (const index of free) {
    if (create.length >= missing) break;
    const until = untilOf(index);
    if (until <= now) create.push(jobPod(job, index));
    else {
      waitMs = Math.min(waitMs ?? Infinity, until - now);
      // The pause holds for the whole job.
      if (!isPerIndex) break;
    }
  }
  return { create, remove: [], waitMs };
}

/** Pods that should not run: with an index that is done, wrong or taken, and beyond the number wanted. */
function surplusPods(
  job: Job,
  {
    active,
    wanted,
    counts,
    now,
  }: { readonly active: readonly Pod[]; readonly wanted: number; readonly counts: Counts; readonly now: number },
): readonly Pod[] {
  const wrong = new Set<Pod>();
  if (isIndexed(job)) {
    const taken = new Set<number>();
    for (const pod of active) {
      const index = indexOf(pod);
      const isDone = index === undefined || counts.completedIndexes.has(index) || counts.failedIndexes.has(index);
      if (isDone || index >= (job.spec?.completions ?? 0) || taken.has(index)) wrong.add(pod);
      else taken.add(index);
    }
  }
  const right = active.filter((pod) => !wrong.has(pod));
  const excess = deletionOrder(right, { neighbours: () => 0, now }).slice(
    0,
    Math.max(right.length - Math.max(wanted, 0), 0),
  );
  return [...wrong, ...excess];
}

function conditionsOf(
  job: Job,
  {
    finish,
    isQuiet,
    begin,
    now,
  }: {
    readonly finish: Finish | undefined;
    readonly isQuiet: boolean;
    readonly begin: Begin;
    readonly now: number;
  },
): { readonly conditions: readonly JobCondition[]; readonly events: readonly JobEvent[] } {
  let conditions: readonly JobCondition[] = job.status?.conditions ?? [];
  const events: JobEvent[] = [];
  const add = (type: string, status: string, { reason, message }: Pick<Finish, "reason" | "message">): void => {
    conditions = withCondition(conditions, { type, status, reason, message }, now);
  };
  if (finish !== undefined) {
    add(finish.isSuccess ? "SuccessCriteriaMet" : "FailureTarget", "True", finish);
    if (!isQuiet) return { conditions, events };
    add(finish.isSuccess ? "Complete" : "Failed", "True", finish);
    const { reason, message } = finish;
    if (finish.isSuccess) events.push({ type: "Normal", reason: "Completed", message: "Job completed" });
    else events.push({ type: "Warning", reason, message });
    return { conditions, events };
  }
  if (begin.change === "suspended") {
    add("Suspended", "True", { reason: "JobSuspended", message: "Job suspended" });
    events.push({ type: "Normal", reason: "Suspended", message: "Job suspended" });
  }
  if (begin.change === "resumed") {
    add("Suspended", "False", { reason: "JobResumed", message: "Job resumed" });
    events.push({ type: "Normal", reason: "Resumed", message: "Job resumed" });
  }
  return { conditions, events };
}

/** Pods whose finalizer nobody waits for: their job is gone or finished. */
export function isAbandoned(pod: Pod, job: Job | undefined): boolean {
  return isTracked(pod) && (job === undefined || (isJobFinished(job) && (isPodTerminal(pod) || !isPodActive(pod))));
}

/** Milliseconds until a finished job is to be deleted (0: now); undefined where it stays or is not finished. */
export function timeToLiveMs({ spec, status }: Job, now: number): number | undefined {
  const finished = status?.conditions?.find(
    ({ type, status: state }) => (type === "Complete" || type === "Failed") && state === "True",
  );
  if (spec?.ttlSecondsAfterFinished === undefined || finished === undefined) return undefined;
  return Math.max(Date.parse(finished.lastTransitionTime ?? "") + spec.ttlSecondsAfterFinished * 1000 - now, 0);
}
