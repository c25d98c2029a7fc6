import { isJsonEqual } from "../../lib/equal/index.ts";
import { structuredSelectorText } from "../../lib/labels/index.ts";
import { validateSelector } from "../registry/selector.ts";
import { defaultPodSpec } from "../core/pod-defaults.ts";
import { validatePodTemplate } from "../core/pod-validation.ts";
import { invalidValue, requiredValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type { Job, JobSpec } from "../generated/types.ts";
import {
  ageColumn,
  ageOf,
  column,
  containerCells,
  containerColumns,
  durationText,
  nameColumn,
  nameOf,
  selectorColumn,
} from "../registry/columns.ts";
import { nonNegative, optionalOneOf } from "../registry/checks.ts";
import { defineResource } from "../registry/define.ts";
import type { Draft } from "../registry/definition.ts";
import { immutable } from "../registry/metadata.ts";
import { resources } from "../resources.ts";

function statusText({ metadata, status }: Job): string {
  const isTrue = (type: string): boolean =>
    (status?.conditions ?? []).some((condition) => condition.type === type && condition.status === "True");
  if (isTrue("Complete")) return "Complete";
  if (isTrue("Failed")) return "Failed";
  if (metadata?.deletionTimestamp !== undefined) return "Terminating";
  return ["Suspended", "FailureTarget", "SuccessCriteriaMet"].find(isTrue) ?? "Running";
}

function completionsText({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec?.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec?.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function elapsedText({ status }: Job, now: Date): string {
  if (status?.startTime === undefined) return "";
  const end = status.completionTime === undefined ? now.getTime() : Date.parse(status.completionTime);
  return durationText(end - Date.parse(status.startTime));
}

/** Sets what a job and the template of a cron job have in common. */
export function defaultJobSpec(spec: Draft<JobSpec>): void {
  // A single pod, unless the number of them is left to a queue of work.
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= 6;
  spec.completionMode ??= "NonIndexed";
  spec.suspend ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? "Failed" : "TerminatingOrFailed";
  if (spec.template?.spec) defaultPodSpec(spec.template.spec);
}

/** `field` is the path of the spec. */
export function validateJobSpec(spec: JobSpec | undefined, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const part of [
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
  ] as const) {
    errors.push(...nonNegative(spec?.[part], `${field}.${part}`));
  }
  errors.push(
    ...optionalOneOf(spec?.completionMode, ["Indexed", "NonIndexed"], `${field}.completionMode`),
    ...validateSelector(spec?.selector, `${field}.selector`),
  );
  if (spec?.completionMode === "Indexed" && spec.completions === undefined) {
    errors.push(requiredValue(`${field}.completions`, "when completion mode is Indexed"));
  }
  return [...errors, ...validatePodTemplate(spec?.template, `${field}.template`, ["OnFailure", "Never"])];
}

/** A job finds its pods by labels that no other job's pods have. */
function addGeneratedSelector(draft: Draft<Job>): void {
  const { spec, metadata } = draft;
  if (!spec || spec.manualSelector || !metadata?.uid) return;
  const own = {
    "batch.kubernetes.io/controller-uid": metadata.uid,
    "batch.kubernetes.io/job-name": metadata.name ?? "",
    "controller-uid": metadata.uid,
    "job-name": metadata.name ?? "",
  };
  spec.template.metadata ??= {};
  spec.template.metadata.labels = { ...spec.template.metadata.labels, ...own };
  spec.selector ??= {};
  spec.selector.matchLabels = {
    ...spec.selector.matchLabels,
    "batch.kubernetes.io/controller-uid": metadata.uid,
  };
}

export const jobs = defineResource(resources.jobs, {
  categories: ["all"],
  hasStatus: true,
  countsGeneration: true,
  columns: [
    nameColumn,
    column("Status", "What the job is doing, in one word."),
    column("Completions", "Pods that have succeeded, of those wanted."),
    column("Duration", "The time that the job has taken."),
    ageColumn,
    ...containerColumns,
    selectorColumn,
  ],
  cells: (object, now) => [
    nameOf(object),
    statusText(object),
    completionsText(object),
    elapsedText(object, now),
    ageOf(object, now),
    ...containerCells(object.spec?.template?.spec?.containers),
    structuredSelectorText(object.spec?.selector),
  ],
  fields: ({ status }) => ({ "status.successful": String(status?.succeeded ?? 0) }),
  defaults({ spec }) {
    if (spec) defaultJobSpec(spec);
  },
  onCreate: addGeneratedSelector,
  validate: ({ spec }) => validateJobSpec(spec, "spec"),
  validateUpdate({ spec }, { old, subresource }) {
    if (subresource !== "") return [];
    return (["completions", "selector", "template", "completionMode"] as const)
      .filter((part) => !isJsonEqual(spec?.[part], old.spec?.[part]))
      .map((part) => invalidValue(`spec.${part}`, spec?.[part] ?? null, immutable));
  },
});
