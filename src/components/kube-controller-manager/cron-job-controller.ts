/** Starts jobs by the clock. */
import { keyOf } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import type { CronJob, CronJobStatus, Job } from "../../api/generated/types.ts";
import { referenceTo } from "../../machinery/events/index.ts";
import { planCronJob, referenceToJob } from "../../model/cron-job/index.ts";
import { controllerOf, isSame, timeText } from "../../model/workload/index.ts";
import { isAlreadyExists, isNamespaceTerminating, whereItStillIs } from "./answers.ts";
import type { CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";
import { ownKey, versions } from "./keys.ts";

export const createCronJobController: CreateController = (context) => {
  const { client, clock, informers } = context;
  const { cronJobs, jobs } = informers;
  const recorder = context.recorder("cronjob-controller");

  const remove = async (cronJob: CronJob, job: Job): Promise<void> => {
    const { uid } = job.metadata ?? {};
    const options = { propagationPolicy: "Background", ...(uid === undefined ? {} : { preconditions: { uid } }) };
    if (!(await whereItStillIs(client.delete(resources.jobs, keyOf(job), options)))) return;
    const message = `Deleted job ${job.metadata?.name ?? ""}`;
    recorder.event(referenceTo(resources.cronJobs, cronJob), { type: "Normal", reason: "SuccessfulDelete", message });
  };

  /** Undefined where it was there already or cannot be. */
  const start = async (cronJob: CronJob, job: Job): Promise<Job | undefined> => {
    const about = referenceTo(resources.cronJobs, cronJob);
    try {
      const created = await client.create(resources.jobs, job);
      jobs.observe(created);
      const message = `Created job ${created.metadata?.name ?? ""}`;
      recorder.event(about, { type: "Normal", reason: "SuccessfulCreate", message });
      return created;
    } catch (error) {
      if (isAlreadyExists(error) || isNamespaceTerminating(error)) return undefined;
      const message = `Error creating job: ${error instanceof Error ? error.message : String(error)}`;
      recorder.event(about, { type: "Warning", reason: "FailedCreate", message });
      throw error;
    }
  };

  const writeStatus = async (cronJob: CronJob, status: CronJobStatus): Promise<void> => {
    if (isSame(status, cronJob.status)) return;
    const written = await client.update(resources.cronJobs, { ...cronJob, status }, { subresource: "status" });
    cronJobs.observe(written);
  };

  const reconciler = reconcilerOf(context, {
    name: "cronjob",
    waitFor: [cronJobs, jobs],
    concurrency: 5,
    reconcile: async (key) => {
      const cronJob = cronJobs.store.get(key);
      if (cronJob === undefined) return undefined;
      const own = jobs.store
        .byIndex("owner", cronJob.metadata?.uid ?? "")
        .filter((job) => controllerOf(job)?.uid === cronJob.metadata?.uid);
      const plan = planCronJob({ cronJob, jobs: own, now: clock.now() });
      for (const event of plan.events) recorder.event(referenceTo(resources.cronJobs, cronJob), event);
      for (const job of [...plan.forget, ...plan.replace]) await remove(cronJob, job);
      let { status } = plan;
      if (plan.start !== undefined) {
        const started = await start(cronJob, plan.start.job);
        const replaced = new Set(plan.replace.map(({ metadata }) => metadata?.uid));
        const active = (status.active ?? []).filter(({ uid }) => !replaced.has(uid));
        status = {
          ...status,
          active: started === undefined ? active : [...active, referenceToJob(started)],
          lastScheduleTime: timeText(plan.start.scheduledAtMs),
        };
      }
      await writeStatus(cronJob, status);
      return plan.lookAgainAfterMs === undefined ? undefined : { requeueAfterMs: plan.lookAgainAfterMs };
    },
  });
  reconciler.on(cronJobs, ownKey);
  reconciler.on(jobs, (change) =>
    versions(change).flatMap((job) => {
      const controller = controllerOf(job);
      return controller?.kind === "CronJob" ? [`${job.metadata?.namespace ?? ""}/${controller.name}`] : [];
    }),
  );
  return reconciler;
};
