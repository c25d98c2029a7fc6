import { structuredSelectorText } from "../../lib/labels/index.ts";
import { CronError, parseCron } from "../../lib/cron/index.ts";
import { invalidValue, requiredValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import {
  ageColumn,
  ageOf,
  column,
  containerCells,
  containerColumns,
  nameColumn,
  nameOf,
  selectorColumn,
  timeSince,
} from "../registry/columns.ts";
import { nonNegative, oneOf } from "../registry/checks.ts";
import { templateWarnings } from "../core/pod-warnings.ts";
import { defineResource } from "../registry/define.ts";
import { resources } from "../resources.ts";
import { defaultJobSpec, validateJobSpec } from "./job.ts";

function validateSchedule(schedule: string): readonly FieldError[] {
  if (schedule === "") return [requiredValue("spec.schedule")];
  if (schedule.includes("TZ")) {
    const text = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
    return [invalidValue("spec.schedule", schedule, text)];
  }
  try {
    parseCron(schedule);
    return [];
  } catch (error) {
    if (!(error instanceof CronError)) throw error;
    return [invalidValue("spec.schedule", schedule, error.message)];
  }
}

function validateTimeZone(timeZone: string | undefined): readonly FieldError[] {
  if (timeZone === undefined) return [];
  const field = "spec.timeZone";
  if (timeZone === "") return [invalidValue(field, timeZone, "timeZone must be nil or non-empty string")];
  if (timeZone.toLowerCase() === "local") {
    const text = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
    return [invalidValue(field, timeZone, text)];
  }
  try {
    Intl.DateTimeFormat("en", { timeZone });
    return [];
  } catch {
    return [invalidValue(field, timeZone, `unknown time zone ${timeZone}`)];
  }
}

export const cronJobs = defineResource(resources.cronJobs, {
  shortNames: ["cj"],
  categories: ["all"],
  hasStatus: true,
  countsGeneration: true,
  columns: [
    nameColumn,
    column("Schedule", "When jobs are started."),
    column("Timezone", "The time zone of the schedule."),
    column("Suspend", "Whether no more jobs are started.", "boolean"),
    column("Active", "Jobs that run now.", "integer"),
    column("Last Schedule", "The time since a job was started."),
    ageColumn,
    ...containerColumns,
    selectorColumn,
  ],
  cells({ spec, status, ...object }, now) {
    const suspended = spec?.suspend;
    return [
      nameOf(object),
      spec?.schedule ?? "",
      spec?.timeZone ?? "<none>",
      suspended === undefined ? "<unset>" : suspended ? "True" : "False",
      (status?.active ?? []).length,
      status?.lastScheduleTime === undefined ? "<none>" : timeSince(status.lastScheduleTime, now),
      ageOf(object, now),
      ...containerCells(spec?.jobTemplate.spec?.template.spec?.containers),
      structuredSelectorText(spec?.jobTemplate.spec?.selector),
    ];
  },
  defaults({ spec }) {
    if (!spec) return;
    spec.concurrencyPolicy ||= "Allow";
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    const template = spec.jobTemplate?.spec;
    if (template) defaultJobSpec(template);
  },
  // The names of its jobs are eleven characters longer, and must fit into a label.
  validateCreate({ metadata }) {
    const name = metadata?.name ?? "";
    return name.length > 52 ? [invalidValue("metadata.name", name, "must be no more than 52 characters")] : [];
  },
  warnings: ({ spec }) => templateWarnings(spec?.jobTemplate?.spec?.template, "spec.jobTemplate.spec.template"),
  validate({ spec }) {
    return [
      ...validateSchedule(spec?.schedule ?? ""),
      ...validateTimeZone(spec?.timeZone),
      ...nonNegative(spec?.startingDeadlineSeconds, "spec.startingDeadlineSeconds"),
      ...oneOf(spec?.concurrencyPolicy, ["Allow", "Forbid", "Replace"], "spec.concurrencyPolicy"),
      ...nonNegative(spec?.successfulJobsHistoryLimit, "spec.successfulJobsHistoryLimit"),
      ...nonNegative(spec?.failedJobsHistoryLimit, "spec.failedJobsHistoryLimit"),
      ...validateJobSpec(spec?.jobTemplate?.spec, "spec.jobTemplate.spec"),
    ];
  },
});
