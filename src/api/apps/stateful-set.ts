import { isJsonEqual } from "../../lib/equal/index.ts";
import { defaultPodSpec } from "../core/pod-defaults.ts";
import { forbiddenValue, invalidValue, requiredValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import { ageColumn, ageOf, column, containerCells, containerColumns, nameColumn, nameOf } from "../registry/columns.ts";
import type { StatefulSetSpec } from "../generated/types.ts";
import { nonNegative } from "../registry/checks.ts";
import { defineResource } from "../registry/define.ts";
import { scaleSubresource, scalingBySelector } from "../registry/scale.ts";
import { resources } from "../resources.ts";
import { validateWorkload, workloadWarnings } from "./workload-checks.ts";

const mutableParts =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', " +
  "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

/** Containers mount the claims as volumes. At the end, so that mistakes in volumes keep their places. */
function withClaims(spec: StatefulSetSpec | undefined): StatefulSetSpec | undefined {
  const { template, volumeClaimTemplates = [] } = spec ?? {};
  if (spec === undefined || template?.spec === undefined || volumeClaimTemplates.length === 0) return spec;
  const volumes = template.spec.volumes ?? [];
  const claims = volumeClaimTemplates
    .map(({ metadata }) => metadata?.name ?? "")
    .filter((name) => !volumes.some((volume) => volume.name === name))
    .map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
  return { ...spec, template: { ...template, spec: { ...template.spec, volumes: [...volumes, ...claims] } } };
}

export const statefulSets = defineResource(resources.statefulSets, {
  shortNames: ["sts"],
  categories: ["all"],
  hasStatus: true,
  countsGeneration: true,
  subresources: { scale: scaleSubresource },
  columns: [nameColumn, column("Ready", "Pods that are ready, of those wanted."), ageColumn, ...containerColumns],
  cells: (object, now) => [
    nameOf(object),
    `${object.status?.readyReplicas ?? 0}/${object.spec?.replicas ?? 0}`,
    ageOf(object, now),
    ...containerCells(object.spec?.template?.spec?.containers),
  ],
  defaults({ spec }) {
    if (!spec) return;
    spec.podManagementPolicy ||= "OrderedReady";
    spec.updateStrategy ??= {};
    spec.updateStrategy.type ||= "RollingUpdate";
    if (spec.updateStrategy.type === "RollingUpdate") {
      spec.updateStrategy.rollingUpdate ??= {};
      spec.updateStrategy.rollingUpdate.partition ??= 0;
    }
    spec.persistentVolumeClaimRetentionPolicy ??= {};
    spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= "Retain";
    spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= "Retain";
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= 10;
    if (spec.template?.spec) defaultPodSpec(spec.template.spec);
    for (const claim of spec.volumeClaimTemplates ?? []) {
      claim.apiVersion = "v1";
      claim.kind = "PersistentVolumeClaim";
      if (claim.spec) claim.spec.volumeMode ??= "Filesystem";
      claim.status ??= {};
      claim.status.phase ||= "Pending";
    }
  },
  onCreate(draft) {
    draft.status = { replicas: 0 };
  },
  validate: ({ spec }) => [
    ...eitherOf(spec?.podManagementPolicy, ["OrderedReady", "Parallel"], "spec.podManagementPolicy"),
    ...validateUpdateStrategy(spec?.updateStrategy?.type),
    ...nonNegative(spec?.replicas, "spec.replicas"),
    ...nonNegative(spec?.minReadySeconds, "spec.minReadySeconds"),
    ...nonNegative(spec?.ordinals?.start, "spec.ordinals.start"),
    ...validateWorkload(withClaims(spec), "StatefulSet"),
  ],
  warnings: workloadWarnings,
  validateUpdate({ spec }, { old, subresource }) {
    if (subresource !== "" || !spec || !old.spec) return [];
    const { replicas, ordinals, template, updateStrategy, revisionHistoryLimit, minReadySeconds } = old.spec;
    const { persistentVolumeClaimRetentionPolicy } = old.spec;
    const reset = {
      ...spec,
      replicas,
      ordinals,
      template,
      updateStrategy,
      revisionHistoryLimit,
      minReadySeconds,
      persistentVolumeClaimRetentionPolicy,
    };
    return isJsonEqual(reset, old.spec) ? [] : [forbiddenValue("spec", mutableParts)];
  },
  scaling: scalingBySelector,
});

function eitherOf(value: string | undefined, supported: readonly string[], field: string): FieldError[] {
  if (value === undefined || value === "") return [requiredValue(field)];
  const text = `must be ${supported.map((one) => `'${one}'`).join(" or ")}`;
  return supported.includes(value) ? [] : [invalidValue(field, value, text)];
}

function validateUpdateStrategy(type: string | undefined): FieldError[] {
  if (type === undefined || type === "") return [requiredValue("spec.updateStrategy")];
  if (type === "RollingUpdate" || type === "OnDelete") return [];
  const text = "must be 'RollingUpdate' or 'OnDelete'";
  return [invalidValue("spec.updateStrategy", { Type: type, RollingUpdate: null }, text)];
}
