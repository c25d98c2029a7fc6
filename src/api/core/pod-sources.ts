/** PodTemplates and ReplicationControllers, the elders of Deployments. */
import { labelsText } from "../../lib/labels/index.ts";
import { invalidValue, requiredValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import { column, containerCells, nameColumn, nameOf } from "../registry/columns.ts";
import { nonNegative } from "../registry/checks.ts";
import { defineResource } from "../registry/define.ts";
import { replicaCells, replicaColumns } from "../registry/replica-columns.ts";
import { scaleSubresource, scalingByLabels } from "../registry/scale.ts";
import { resources } from "../resources.ts";
import { defaultPodSpec } from "./pod-defaults.ts";
import { validatePodTemplate } from "./pod-validation.ts";

export const podTemplates = defineResource(resources.podTemplates, {
  countsGeneration: true,
  columns: [
    nameColumn,
    column("Containers", "Names of the template's containers."),
    column("Images", "Images of the template's containers."),
    column("Pod Labels", "The labels of the template's pods."),
  ],
  cells: (object) => [
    nameOf(object),
    ...containerCells(object.template?.spec?.containers),
    labelsText(object.template?.metadata?.labels),
  ],
  defaults({ template }) {
    if (template?.spec) defaultPodSpec(template.spec);
  },
  validate: ({ template }) => validatePodTemplate(template, "template", ["Always", "OnFailure", "Never"]),
});

export const replicationControllers = defineResource(resources.replicationControllers, {
  shortNames: ["rc"],
  categories: ["all"],
  hasStatus: true,
  countsGeneration: true,
  subresources: { scale: scaleSubresource },
  columns: replicaColumns,
  cells: (object, now) => replicaCells(object, now, labelsText(object.spec?.selector)),
  fields: ({ status }) => ({ "status.replicas": String(status?.replicas ?? 0) }),
  defaults({ metadata, spec }) {
    if (!spec) return;
    spec.replicas ??= 1;
    const labels = spec.template?.metadata?.labels;
    if (labels) {
      if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
      if (metadata && Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
    }
    if (spec.template?.spec) defaultPodSpec(spec.template.spec);
  },
  onCreate(draft) {
    draft.status = { replicas: 0 };
  },
  validate({ spec }) {
    const errors: FieldError[] = [...nonNegative(spec?.replicas, "spec.replicas")];
    const selector = spec?.selector ?? {};
    const labels = spec?.template?.metadata?.labels ?? {};
    if (Object.keys(selector).length === 0) errors.push(requiredValue("spec.selector"));
    if (spec?.template === undefined) return [...errors, requiredValue("spec.template")];
    if (Object.entries(selector).some(([key, value]) => labels[key] !== value)) {
      const text = "`selector` does not match template `labels`";
      errors.push(invalidValue("spec.template.metadata.labels", labels, text));
    }
    return [...errors, ...validatePodTemplate(spec.template, "spec.template")];
  },
  scaling: scalingByLabels,
});
