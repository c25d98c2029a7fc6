import { structuredSelectorText } from "../../lib/labels/index.ts";
import { defaultPodSpec } from "../core/pod-defaults.ts";
import { forbiddenValue, invalidValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type { Deployment } from "../generated/types.ts";
import {
  ageColumn,
  ageOf,
  column,
  containerCells,
  containerColumns,
  nameColumn,
  nameOf,
  selectorColumn,
} from "../registry/columns.ts";
import { nonNegative } from "../registry/checks.ts";
import { defineResource } from "../registry/define.ts";
import { scaleSubresource, scalingBySelector } from "../registry/scale.ts";
import { resources } from "../resources.ts";
import {
  isZeroShare,
  selectorIsImmutable,
  validatePart,
  validateShare,
  validateStrategyType,
  validateWorkload,
  workloadWarnings,
} from "./workload-checks.ts";

function validateStrategy({ strategy }: NonNullable<Deployment["spec"]>): FieldError[] {
  const field = "spec.strategy";
  const rolling = strategy?.rollingUpdate;
  if (strategy?.type === "Recreate" && rolling) {
    return [forbiddenValue(`${field}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'")];
  }
  if (strategy?.type !== "RollingUpdate") {
    return validateStrategyType(strategy?.type, ["Recreate", "RollingUpdate"], field);
  }
  const errors = [
    ...validateShare(rolling?.maxSurge, `${field}.rollingUpdate.maxSurge`),
    ...validatePart(rolling?.maxUnavailable, `${field}.rollingUpdate.maxUnavailable`),
  ];
  if (isZeroShare(rolling?.maxUnavailable) && isZeroShare(rolling?.maxSurge)) {
    const text = "may not be 0 when `maxSurge` is 0";
    errors.push(invalidValue(`${field}.rollingUpdate.maxUnavailable`, rolling?.maxUnavailable ?? 0, text));
  }
  return errors;
}

export const deployments = defineResource(resources.deployments, {
  shortNames: ["deploy"],
  categories: ["all"],
  hasStatus: true,
  countsGeneration: true,
  subresources: { scale: scaleSubresource },
  columns: [
    nameColumn,
    column("Ready", "Pods that are ready, of those wanted."),
    column("Up-to-date", "Pods made from the newest template."),
    column("Available", "Pods that have been ready for long enough."),
    ageColumn,
    ...containerColumns,
    selectorColumn,
  ],
  cells: (object, now) => [
    nameOf(object),
    `${object.status?.readyReplicas ?? 0}/${object.spec?.replicas ?? 0}`,
    object.status?.updatedReplicas ?? 0,
    object.status?.availableReplicas ?? 0,
    ageOf(object, now),
    ...containerCells(object.spec?.template?.spec?.containers),
    structuredSelectorText(object.spec?.selector),
  ],
  defaults({ spec }) {
    if (!spec) return;
    spec.replicas ??= 1;
    spec.strategy ??= {};
    spec.strategy.type ||= "RollingUpdate";
    if (spec.strategy.type === "RollingUpdate") {
      spec.strategy.rollingUpdate ??= {};
      spec.strategy.rollingUpdate.maxUnavailable ??= "25%";
      spec.strategy.rollingUpdate.maxSurge ??= "25%";
    }
    spec.revisionHistoryLimit ??= 10;
    spec.progressDeadlineSeconds ??= 600;
    if (spec.template?.spec) defaultPodSpec(spec.template.spec);
  },
  validate({ spec }) {
    const errors = [...nonNegative(spec?.replicas, "spec.replicas"), ...validateWorkload(spec)];
    if (!spec) return errors;
    errors.push(
      ...validateStrategy(spec),
      ...nonNegative(spec.minReadySeconds, "spec.minReadySeconds"),
      ...nonNegative(spec.revisionHistoryLimit, "spec.revisionHistoryLimit"),
    );
    const deadline = spec.progressDeadlineSeconds;
    if (deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0)) {
      errors.push(invalidValue("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"));
    }
    return errors;
  },
  warnings: workloadWarnings,
  validateUpdate: selectorIsImmutable,
  scaling: scalingBySelector,
});
