import { labelsText, structuredSelectorText } from "../../lib/labels/index.ts";
import { defaultPodSpec } from "../core/pod-defaults.ts";
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
import { resources } from "../resources.ts";
import {
  selectorIsImmutable,
  validateShare,
  validateStrategyType,
  validateWorkload,
  workloadWarnings,
} from "./workload-checks.ts";

export const daemonSets = defineResource(resources.daemonSets, {
  shortNames: ["ds"],
  categories: ["all"],
  hasStatus: true,
  countsGeneration: true,
  columns: [
    nameColumn,
    column("Desired", "Nodes that should run the pod.", "integer"),
    column("Current", "Nodes that have the pod.", "integer"),
    column("Ready", "Nodes whose pod is ready.", "integer"),
    column("Up-to-date", "Nodes whose pod is made from the newest template.", "integer"),
    column("Available", "Nodes whose pod has been ready for long enough.", "integer"),
    column("Node Selector", "Which nodes run the pod."),
    ageColumn,
    ...containerColumns,
    selectorColumn,
  ],
  cells: (object, now) => [
    nameOf(object),
    object.status?.desiredNumberScheduled ?? 0,
    object.status?.currentNumberScheduled ?? 0,
    object.status?.numberReady ?? 0,
    object.status?.updatedNumberScheduled ?? 0,
    object.status?.numberAvailable ?? 0,
    labelsText(object.spec?.template?.spec?.nodeSelector),
    ageOf(object, now),
    ...containerCells(object.spec?.template?.spec?.containers),
    structuredSelectorText(object.spec?.selector),
  ],
  defaults({ spec }) {
    if (!spec) return;
    spec.updateStrategy ??= {};
    spec.updateStrategy.type ||= "RollingUpdate";
    if (spec.updateStrategy.type === "RollingUpdate") {
      spec.updateStrategy.rollingUpdate ??= {};
      spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
      spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
    }
    spec.revisionHistoryLimit ??= 10;
    if (spec.template?.spec) defaultPodSpec(spec.template.spec);
  },
  onCreate(draft) {
    draft.status = {
      currentNumberScheduled: 0,
      desiredNumberScheduled: 0,
      numberMisscheduled: 0,
      numberReady: 0,
    };
  },
  validate: ({ spec }) => [
    ...validateWorkload(spec, "DaemonSet"),
    ...nonNegative(spec?.minReadySeconds, "spec.minReadySeconds"),
    ...nonNegative(spec?.revisionHistoryLimit, "spec.revisionHistoryLimit"),
    ...validateStrategyType(spec?.updateStrategy?.type, ["RollingUpdate", "OnDelete"], "spec.updateStrategy"),
    ...validateShare(
      spec?.updateStrategy?.rollingUpdate?.maxUnavailable,
      "spec.updateStrategy.rollingUpdate.maxUnavailable",
    ),
    ...validateShare(spec?.updateStrategy?.rollingUpdate?.maxSurge, "spec.updateStrategy.rollingUpdate.maxSurge"),
  ],
  warnings: workloadWarnings,
  validateUpdate: selectorIsImmutable,
});
