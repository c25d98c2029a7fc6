/** What a CronJob has to do: start a job that is due, forget old ones, say what runs. */
import type { CronJob, CronJobStatus, Job, ObjectReference } from "../../api/generated/types.ts";
import { apiVersionOf } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import { isJobFinished, jobCondition } from "../job/index.ts";
import { controllerReference, timeText } from "../workload/index.ts";
import { nextTime, wallClock } from "./next-time.ts";
import type { WallClock } from "./next-time.ts";
import { parseCron } from "../../lib/cron/index.ts";
import type { CronSchedule } from "../../lib/cron/index.ts";

export interface CronJobInput {
  readonly cronJob: CronJob;
  /** Those it owns. */
  readonly jobs: readonly Job[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

interface CronJobEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export interface CronJobPlan {
  /** To be made, after `replace` are deleted; and the status to be written once it is there. */
  readonly start: { readonly job: Job; readonly scheduledAtMs: number } | undefined;
  readonly replace: readonly Job[];
  /** Beyond the history limits, the oldest first. */
  readonly forget: readonly Job[];
  readonly status: CronJobStatus;
  readonly events: readonly CronJobEvent[];
  readonly lookAgainAfterMs: number | undefined;
}

/** So many missed times mean a wrong clock or a long pause: they are told of. */
const tooManyMissed = 100;

export function planCronJob(input: CronJobInput): CronJobPlan {
  const { cronJob, jobs, now } = input;
  const seen = statusOf(input);
  const { status } = seen;
  const events = [...seen.events];
  const forget = surplusJobs(cronJob, jobs);
  const rest = { start: undefined, replace: [], forget, status, events, lookAgainAfterMs: undefined };
  const { spec, metadata } = cronJob;
  if (metadata?.deletionTimestamp !== undefined || spec === undefined || spec.suspend === true) return rest;
  const times = timesOf(cronJob);
  if ("problem" in times) return { ...rest, events: [...events, times.problem] };
  const { schedule, clock } = times;
  const { latest, missed } = latestDue(cronJob, { schedule, clock, now });
  if (missed > tooManyMissed) {
    const message = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
    events.push({ type: "Warning", reason: "TooManyMissedTimes", message });
  }
  const next = nextTime(schedule, clock, now);
  const waiting = { ...rest, events, lookAgainAfterMs: next === undefined ? undefined : next - now };
  if (latest === undefined) return waiting;
  const isStarted = jobs.some((job) => job.metadata?.name === jobName(cronJob, latest));
  if (isStarted || status.lastScheduleTime === timeText(latest)) return waiting;
  const deadline = spec.startingDeadlineSeconds;
  if (deadline !== undefined && latest + deadline * 1000 < now) {
    const message = `Missed scheduled time to start a job: ${new Date(latest).toUTCString().replace("GMT", "+0000")}`;
    events.push({ type: "Warning", reason: "MissSchedule", message });
    return waiting;
  }
  const running = jobs.filter((job) => status.active?.some(({ uid }) => uid === job.metadata?.uid));
  if (spec.concurrencyPolicy === "Forbid" && running.length > 0) {
    const message = "Not starting job because prior execution is running and concurrency policy is Forbid";
    events.push({ type: "Normal", reason: "JobAlreadyActive", message });
    return waiting;
  }
  const replace = spec.concurrencyPolicy === "Replace" ? running : [];
  return { ...waiting, start: { job: jobFor(cronJob, latest), scheduledAtMs: latest }, replace };
}

type Times = { readonly schedule: CronSchedule; readonly clock: WallClock } | { readonly problem: CronJobEvent };

function timesOf({ spec }: CronJob): Times {
  const { schedule, timeZone } = spec ?? { schedule: "" };
  const problem = (reason: string, message: string): Times => ({ problem: { type: "Warning", reason, message } });
  let clock: WallClock;
  try {
    clock = wallClock(timeZone ?? "UTC");
  } catch (error) {
    return problem("UnknownTimeZone", `invalid timeZone: "${timeZone}": ${(error as Error).message}`);
  }
  try {
    return { schedule: parseCron(schedule), clock };
  } catch (error) {
    return problem("UnparseableSchedule", `unparseable schedule: "${schedule}" : ${(error as Error).message}`);
  }
}

/** The latest time that is due and not served, and how many were. */
function latestDue(
  { metadata, spec, status }: CronJob,
  { schedule, clock, now }: { readonly schedule: CronSchedule; readonly clock: WallClock; readonly now: number },
): { readonly latest: number | undefined; readonly missed: number } {
  const since = Date.parse(status?.lastScheduleTime ?? metadata?.creationTimestamp ?? "");
  const deadline = spec?.startingDeadlineSeconds;
  const from = Math.max(since, deadline === undefined ? 0 : now - deadline * 1000);
  let latest: number | undefined;
  let missed = 0;
  for (let at = nextTime(schedule, clock, from); at !== undefined && at <= now; at = nextTime(schedule, clock, at)) {
    latest = at;
    missed += 1;
    if (missed <= tooManyMissed) continue;
    // The rest is too much to walk through: the last ones are near.
    const near = lastBefore(now, { schedule, clock, from: at });
    return { latest: near, missed };
  }
  return { latest, missed };
}

/** Looks for the last time in ever longer stretches before `now`. */
function lastBefore(
  now: number,
  { schedule, clock, from }: { readonly schedule: CronSchedule; readonly clock: WallClock; readonly from: number },
): number {
  let last = from;
  for (let back = 60_000; ; back *= 2) {
    const begin = Math.max(now - back, from);
    for (
      let at = nextTime(schedule, clock, begin - 1);
      at !== undefined && at <= now;
      at = nextTime(schedule, clock, at)
    ) {
      last = at;
    }
    if (last > from || begin === from) return last;
  }
}

/** Named by the minute, so that no time is served twice. */
function jobName({ metadata }: CronJob, scheduledAtMs: number): string {
  return `${metadata?.name ?? ""}-${Math.floor(scheduledAtMs / 60_000)}`;
}

function jobFor(cronJob: CronJob, scheduledAtMs: number): Job {
  const { jobTemplate } = cronJob.spec ?? {};
  const { labels, annotations } = jobTemplate?.metadata ?? {};
  const { namespace } = cronJob.metadata ?? {};
  return {
    metadata: {
      name: jobName(cronJob, scheduledAtMs),
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
      annotations: { ...annotations, "batch.kubernetes.io/cronjob-scheduled-timestamp": timeText(scheduledAtMs) },
      ownerReferences: [controllerReference(resources.cronJobs, cronJob)],
    },
    ...(jobTemplate?.spec === undefined ? {} : { spec: jobTemplate.spec }),
  };
}

export function referenceToJob({ metadata }: Job): ObjectReference {
  const { name = "", namespace = "", uid = "", resourceVersion } = metadata ?? {};
  return {
    apiVersion: apiVersionOf(resources.jobs),
    kind: "Job",
    name,
    namespace,
    uid,
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
}

/** Brings the list of running jobs up to date. */
function statusOf({ cronJob, jobs }: CronJobInput): {
  readonly status: CronJobStatus;
  readonly events: readonly CronJobEvent[];
} {
  const events: CronJobEvent[] = [];
  const before = cronJob.status?.active ?? [];
  const active: ObjectReference[] = [];
  let { lastSuccessfulTime } = cronJob.status ?? {};
  for (const reference of before) {
    const job = jobs.find(({ metadata }) => metadata?.uid === reference.uid);
    if (job === undefined) {
      const message = `Active job went missing: ${reference.name}`;
      events.push({ type: "Normal", reason: "MissingJob", message });
    } else if (isJobFinished(job)) {
      const condition = jobCondition(job, "Complete") === undefined ? "Failed" : "Complete";
      const message = `Saw completed job: ${job.metadata?.name}, condition: ${condition}`;
      events.push({ type: "Normal", reason: "SawCompletedJob", message });
    } else active.push(reference);
  }
  for (const job of jobs) {
    const ended = jobCondition(job, "Complete") === undefined ? undefined : job.status?.completionTime;
    if (ended !== undefined && ended > (lastSuccessfulTime ?? "")) lastSuccessfulTime = ended;
    const isKnown = before.some(({ uid }) => uid === job.metadata?.uid);
    if (isKnown || isJobFinished(job)) continue;
    // Started, and its reference lost before it was written.
    active.push(referenceToJob(job));
  }
  const lastScheduleTime = cronJob.status?.lastScheduleTime;
  return {
    events,
    status: {
      ...(active.length === 0 ? {} : { active }),
      ...(lastScheduleTime === undefined ? {} : { lastScheduleTime }),
      ...(lastSuccessfulTime === undefined ? {} : { lastSuccessfulTime }),
    },
  };
}

function surplusJobs({ spec }: CronJob, jobs: readonly Job[]): readonly Job[] {
  const beyond = (type: string, limit: number): readonly Job[] => {
    const ended = jobs
      .filter((job) => jobCondition(job, type) !== undefined && job.metadata?.deletionTimestamp === undefined)
      .toSorted((a, b) => ((a.status?.startTime ?? "") < (b.status?.startTime ?? "") ? -1 : 1));
    return ended.slice(0, Math.max(ended.length - limit, 0));
  };
  return [
    ...beyond("Complete", spec?.successfulJobsHistoryLimit ?? 3),
    ...beyond("Failed", spec?.failedJobsHistoryLimit ?? 1),
  ];
}
