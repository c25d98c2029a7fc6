import { isJsonEqual } from "../../lib/equal/index.ts";
import { selectorOf, selectorText } from "../../lib/labels/index.ts";
import { defaultPodSpec } from "../core/pod-defaults.ts";
import { forbiddenValue } from "../field-error.ts";
import { ageColumn, ageOf, column, containerCells, containerColumns, nameColumn, nameOf } from "../registry/columns.ts";
import type { StatefulSetSpec } from "../generated/types.ts";
import { nonNegative } from "../registry/checks.ts";
import { defineResource } from "../registry/define.ts";
import { scaleSubresource } from "../registry/scale.ts";
import { resources } from "../resources.ts";
import { validateStrategyType, validateWorkload } from "./workload-checks.ts";

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
    ...nonNegative(spec?.replicas, "spec.replicas"),
    ...nonNegative(spec?.minReadySeconds, "spec.minReadySeconds"),
    ...validateStrategyType(spec?.podManagementPolicy, ["OrderedReady", "Parallel"], "spec.podManagementPolicy"),
    ...validateStrategyType(spec?.updateStrategy?.type, ["OnDelete", "RollingUpdate"], "spec.updateStrategy.type"),
    ...validateWorkload(withClaims(spec), "statefulset"),
  ],
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
  scaling: {
    read: ({ spec, status }) => ({
      specReplicas: spec?.replicas ?? 0,
      statusReplicas: status?.replicas ?? 0,
      selector: selectorText(selectorOf(spec?.selector) ?? []),
    }),
    write(draft, replicas) {
      if (draft.spec) draft.spec.replicas = replicas;
    },
  },
});
