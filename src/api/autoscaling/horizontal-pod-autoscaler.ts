/** Autoscalers are stored as autoscaling/v2; autoscaling/v1 is a view of their CPU target. */
import { invalidValue, requiredValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type {
  HorizontalPodAutoscaler,
  V2HorizontalPodAutoscaler,
  V2MetricSpec,
  V2MetricStatus,
} from "../generated/types.ts";
import type { KubernetesObject } from "../object.ts";
import { ageColumn, ageOf, column, nameColumn, nameOf } from "../registry/columns.ts";
import { defineResource } from "../registry/define.ts";
import type { Cell, Column, Draft, ResourceDefinition } from "../registry/definition.ts";
import { resources } from "../resources.ts";

const columns: readonly Column[] = [
  nameColumn,
  column("Reference", "What is scaled."),
  column("Targets", "Measured and wanted values."),
  column("MinPods", "The fewest pods."),
  column("MaxPods", "The most pods."),
  column("Replicas", "Pods there are."),
  ageColumn,
];

interface MetricValues {
  readonly averageUtilization?: number;
  readonly averageValue?: string;
  readonly value?: string;
}

/** `cpu: 12%/80%`. */
function metricText(spec: V2MetricSpec, status: V2MetricStatus | undefined): string {
  const source = spec.resource ?? spec.containerResource;
  const target: MetricValues | undefined =
    source?.target ?? spec.pods?.target ?? spec.object?.target ?? spec.external?.target;
  const current: MetricValues | undefined =
    status?.resource?.current ??
    status?.containerResource?.current ??
    status?.pods?.current ??
    status?.object?.current ??
    status?.external?.current;
  if (target === undefined) return "<unknown type>";
  const prefix = source === undefined ? "" : `${source.name}: `;
  if (target.averageUtilization !== undefined) {
    const now = current?.averageUtilization === undefined ? "<unknown>" : `${current.averageUtilization}%`;
    return `${prefix}${now}/${target.averageUtilization}%`;
  }
  const isAverage = target.averageValue !== undefined;
  const now = (isAverage ? current?.averageValue : current?.value) ?? "<unknown>";
  const suffix = isAverage && source === undefined && spec.pods === undefined ? " (avg)" : "";
  return `${prefix}${now}/${(isAverage ? target.averageValue : target.value) ?? "<auto>"}${suffix}`;
}

function targetsText({ spec, status }: V2HorizontalPodAutoscaler): string {
  const texts = (spec?.metrics ?? []).map((metric, index) => metricText(metric, status?.currentMetrics?.[index]));
  if (texts.length === 0) return "<none>";
  return texts.length > 2 ? `${texts.slice(0, 2).join(", ")} + ${texts.length - 2} more...` : texts.join(", ");
}

function cells(object: V2HorizontalPodAutoscaler, now: Date): readonly Cell[] {
  const { spec, status } = object;
  return [
    nameOf(object),
    `${spec?.scaleTargetRef.kind ?? ""}/${spec?.scaleTargetRef.name ?? ""}`,
    targetsText(object),
    String(spec?.minReplicas ?? "<unset>"),
    spec?.maxReplicas ?? 0,
    status?.currentReplicas ?? 0,
    ageOf(object, now),
  ];
}

function defaults({ spec }: Draft<V2HorizontalPodAutoscaler>): void {
  if (!spec) return;
  spec.minReplicas ??= 1;
  if ((spec.metrics ?? []).length === 0) {
    spec.metrics = [
      { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } },
    ];
  }
}

function validate({ spec }: V2HorizontalPodAutoscaler): FieldError[] {
  const errors: FieldError[] = [];
  const minReplicas = spec?.minReplicas ?? 1;
  const maxReplicas = spec?.maxReplicas ?? 0;
  if (minReplicas < 1) errors.push(invalidValue("spec.minReplicas", minReplicas, "must be greater than or equal to 1"));
  if (maxReplicas < 1) errors.push(invalidValue("spec.maxReplicas", maxReplicas, "must be greater than 0"));
  if (maxReplicas < minReplicas) {
    errors.push(invalidValue("spec.maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`"));
  }
  if (!spec?.scaleTargetRef?.kind) errors.push(requiredValue("spec.scaleTargetRef.kind"));
  if (!spec?.scaleTargetRef?.name) errors.push(requiredValue("spec.scaleTargetRef.name"));
  return errors;
}

export const horizontalPodAutoscalers = defineResource(resources.horizontalPodAutoscalers, {
  shortNames: ["hpa"],
  categories: ["all"],
  type: "V2HorizontalPodAutoscaler",
  hasStatus: true,
  columns,
  cells,
  defaults,
  onCreate(draft) {
    draft.status = { currentMetrics: [], desiredReplicas: 0, currentReplicas: 0 };
  },
  validate,
});

function isCpuUtilization({ resource }: V2MetricSpec): boolean {
  return resource?.name === "cpu" && resource.target.averageUtilization !== undefined;
}

function toServed(stored: KubernetesObject): HorizontalPodAutoscaler {
  const { spec, status, ...rest } = stored as V2HorizontalPodAutoscaler;
  const {
    metrics = [],
    behavior: _behavior,
    ...plain
  } = spec ?? { maxReplicas: 0, scaleTargetRef: { kind: "", name: "" } };
  const wanted = metrics.find(isCpuUtilization)?.resource?.target.averageUtilization;
  const cpu = status?.currentMetrics?.find(({ resource }) => resource?.name === "cpu");
  const measured = cpu?.resource?.current.averageUtilization;
  return {
    ...rest,
    apiVersion: "autoscaling/v1",
    kind: "HorizontalPodAutoscaler",
    spec: { ...plain, ...(wanted === undefined ? {} : { targetCPUUtilizationPercentage: wanted }) },
    status: {
      currentReplicas: status?.currentReplicas ?? 0,
      desiredReplicas: status?.desiredReplicas ?? 0,
      ...(status?.lastScaleTime === undefined ? {} : { lastScaleTime: status.lastScaleTime }),
      ...(measured === undefined ? {} : { currentCPUUtilizationPercentage: measured }),
    },
  };
}

function toStored(served: HorizontalPodAutoscaler): V2HorizontalPodAutoscaler {
  const { spec, status, ...rest } = served;
  const { targetCPUUtilizationPercentage: percentage, ...plain } = spec ?? {
    maxReplicas: 0,
    scaleTargetRef: { kind: "", name: "" },
  };
  const metrics: readonly V2MetricSpec[] =
    percentage === undefined
      ? []
      : [
          {
            type: "Resource",
            resource: { name: "cpu", target: { type: "Utilization", averageUtilization: percentage } },
          },
        ];
  return {
    ...rest,
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    spec: { ...plain, ...(metrics.length === 0 ? {} : { metrics }) },
    status: { desiredReplicas: status?.desiredReplicas ?? 0, currentReplicas: status?.currentReplicas ?? 0 },
  };
}

/** The same objects, as older clients read and write them. */
export const horizontalPodAutoscalersV1: ResourceDefinition<HorizontalPodAutoscaler> = {
  ...defineResource(resources.horizontalPodAutoscalersV1, {
    shortNames: ["hpa"],
    categories: ["all"],
    hasStatus: true,
    columns,
    cells: (object, now) => cells(toStored(object), now),
    defaults({ spec }) {
      if (spec) spec.minReplicas ??= 1;
    },
    validate: (object) => validate(toStored(object)),
  }),
  conversion: { toServed, toStored },
};
