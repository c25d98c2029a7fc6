import { structuredSelectorText } from "../../lib/labels/index.ts";
import { defaultPodSpec } from "../core/pod-defaults.ts";
import { nonNegative } from "../registry/checks.ts";
import { defineResource } from "../registry/define.ts";
import { replicaCells, replicaColumns } from "../registry/replica-columns.ts";
import { scaleSubresource, scalingBySelector } from "../registry/scale.ts";
import { resources } from "../resources.ts";
import { selectorIsImmutable, validateWorkload, workloadWarnings } from "./workload-checks.ts";

export const replicaSets = defineResource(resources.replicaSets, {
  shortNames: ["rs"],
  categories: ["all"],
  hasStatus: true,
  countsGeneration: true,
  subresources: { scale: scaleSubresource },
  columns: replicaColumns,
  cells: (object, now) => replicaCells(object, now, structuredSelectorText(object.spec?.selector)),
  defaults({ spec }) {
    if (!spec) return;
    spec.replicas ??= 1;
    if (spec.template?.spec) defaultPodSpec(spec.template.spec);
  },
  onCreate(draft) {
    draft.status = { replicas: 0 };
  },
  validate: ({ spec }) => [
    ...nonNegative(spec?.replicas, "spec.replicas"),
    ...nonNegative(spec?.minReadySeconds, "spec.minReadySeconds"),
    ...validateWorkload(spec),
  ],
  warnings: workloadWarnings,
  validateUpdate: selectorIsImmutable,
  scaling: scalingBySelector,
});
