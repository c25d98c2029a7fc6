/** CronJob as it was written before `batch/v1`, with the same fields: kubectl 1.20 prunes by this version. */
import { cronJobs } from "../batch/cron-job.ts";
import type { CronJob } from "../generated/types.ts";
import { resources } from "../resources.ts";
import { oldVersion } from "./old-version.ts";
import type { OldCronJob } from "./types.ts";

const apiVersion = "batch/v1beta1";

export const cronJobsV1beta1 = oldVersion<OldCronJob, CronJob>(cronJobs, {
  resource: resources.cronJobsV1beta1,
  type: "OldCronJob",
  deprecationWarning: `${apiVersion} CronJob is deprecated in v1.21+, unavailable in v1.25+; use batch/v1 CronJob`,
  toServed: (stored) => ({ ...stored, apiVersion }),
  toStored: (served) => ({ ...served, apiVersion: "batch/v1" }),
});
