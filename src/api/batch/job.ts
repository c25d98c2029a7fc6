import { isJsonEqual } from "../../lib/equal/index.ts";
import { matchesSelector, structuredSelectorText } from "../../lib/labels/index.ts";
import { validateSelector } from "../registry/selector.ts";
import { defaultPodSpec } from "../core/pod-defaults.ts";
import { validatePodTemplate } from "../core/pod-validation.ts";
import { templateWarnings } from "../core/pod-warnings.ts";
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
import { nonNegative, oneOf, oneOfListed } from "../registry/checks.ts";
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
    ...(spec?.completionMode === undefined
      ? []
      : oneOfListed(spec.completionMode, ["NonIndexed", "Indexed"], `${field}.completionMode`)),
    ...validateSelector(spec?.selector, `${field}.selector`),
  );
  if (spec?.completionMode === "Indexed" && spec.completions === undefined) {
    errors.push(requiredValue(`${field}.completions`, "when completion mode is Indexed"));
  }
  errors.push(...validateFailurePolicy(spec, `${field}.podFailurePolicy.rules`));
  return [...errors, ...validateJobTemplate(spec, `${field}.template`)];
}

/** A job's pods end: what restarts for ever is as if nothing was said. */
function validateJobTemplate(spec: JobSpec | undefined, field: string): FieldError[] {
  const policies = ["OnFailure", "Never"];
  const errors = validatePodTemplate(spec?.template, field, [...policies, "Always"]);
  if (spec?.template?.spec?.restartPolicy !== "Always") return errors;
  return [...errors, requiredValue(`${field}.spec.restartPolicy`, 'valid values: "OnFailure", "Never"')];
}

function validateFailurePolicy(spec: JobSpec | undefined, field: string): FieldError[] {
  return (spec?.podFailurePolicy?.rules ?? []).flatMap(({ action, onExitCodes, onPodConditions = [] }, index) => {
    const path = `${field}[${index}]`;
    const errors = oneOf(action, ["Count", "FailIndex", "FailJob", "Ignore"], `${path}.action`);
    const isByPod = onPodConditions.length > 0;
    if ((onExitCodes === undefined) === !isByPod) {
      const what = isByPod
        ? "specifying both OnExitCodes and OnPodConditions is not supported"
        : "specifying one of OnExitCodes and OnPodConditions is required";
      errors.push({ type: "FieldValueInvalid", field: path, body: `Invalid value: ${what}` });
    }
    if (onExitCodes !== undefined) {
      errors.push(...oneOf(onExitCodes.operator, ["In", "NotIn"], `${path}.onExitCodes.operator`));
      if (onExitCodes.values.length === 0) {
        errors.push(invalidValue(`${path}.onExitCodes.values`, [], "at least one value is required"));
      }
    }
    return errors;
  });
}

/** A job's own pods are found by what the server adds, unless its maker has chosen otherwise. */
function validateJobSelector({ spec, metadata }: Job): FieldError[] {
  const errors: FieldError[] = [];
  const { selector, template } = spec ?? {};
  if (selector === undefined) errors.push(requiredValue("spec.selector"));
  const own = { matchLabels: { "batch.kubernetes.io/controller-uid": metadata?.uid ?? "" } };
  if (selector !== undefined && spec?.manualSelector !== true && !isJsonEqual(selector, own)) {
    errors.push(invalidValue("spec.selector", selector, "`selector` not auto-generated"));
  }
  if (!matchesSelector(selector, template?.metadata?.labels)) {
    const text = "`selector` does not match template `labels`";
    errors.push(invalidValue("spec.template.metadata.labels", template?.metadata?.labels ?? null, text));
  }
  return errors;
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
  validateCreate: validateJobSelector,
  warnings: ({ spec }, old) => (old === undefined ? templateWarnings(spec?.template, "spec.template") : []),
  validateUpdate({ spec }, { old, subresource }) {
    if (subresource !== "") return [];
    const errors: FieldError[] = [];
    // An indexed job may be made wider or narrower, with as many pods at once as there are indexes.
    const isElastic = old.spec?.completionMode === "Indexed" && spec?.completions === spec?.parallelism;
    if (spec?.completions !== old.spec?.completions && !isElastic) {
      const text = "can only be modified in tandem with spec.parallelism";
      errors.push(invalidValue("spec.completions", spec?.completions ?? null, text));
    }
    return [
      ...errors,
      ...(["selector", "template", "completionMode"] as const)
        .filter((part) => !isJsonEqual(spec?.[part], old.spec?.[part]))
        .map((part) => invalidValue(`spec.${part}`, spec?.[part] ?? null, immutable)),
    ];
  },
});
