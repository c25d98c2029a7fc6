/** What a job reads from its pods, and the pods it makes. */
import type { EnvVar, Job, Pod } from "../../api/generated/types.ts";
import { resources } from "../../api/resources.ts";
import { podCondition, podFromTemplate } from "../workload/index.ts";

/** Keeps a pod in the API until the job has counted it. */
export const trackingFinalizer = "batch.kubernetes.io/job-tracking";
const indexName = "batch.kubernetes.io/job-completion-index";

export function isTracked({ metadata }: Pod): boolean {
  return metadata?.finalizers?.includes(trackingFinalizer) === true;
}

export function isIndexed({ spec }: Job): boolean {
  return spec?.completionMode === "Indexed";
}

/** The completion index of a pod of an Indexed job; undefined where it has none. */
export function indexOf({ metadata }: Pod): number | undefined {
  const text = metadata?.annotations?.[indexName] ?? "";
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

export function isSucceeded({ status }: Pod): boolean {
  return status?.phase === "Succeeded";
}

/** One that is asked to go counts as failed at once, unless the job replaces only what has really ended. */
export function isFailed({ spec }: Job, { metadata, status }: Pod): boolean {
  if (status?.phase === "Failed") return true;
  if (spec?.podReplacementPolicy === "Failed") return false;
  return metadata?.deletionTimestamp !== undefined && status?.phase !== "Succeeded";
}

/** When the pod ended, in milliseconds since the epoch. */
export function endedAtMs(pod: Pod): number {
  const ends = (pod.status?.containerStatuses ?? []).map(({ state }) =>
    Date.parse(state?.terminated?.finishedAt ?? ""),
  );
  const known = ends.filter((end) => !Number.isNaN(end));
  if (known.length > 0) return Math.max(...known);
  const ready = podCondition(pod, "Ready");
  const times = [
    pod.metadata?.deletionTimestamp,
    ready?.status === "False" ? ready.lastTransitionTime : undefined,
    pod.metadata?.creationTimestamp,
  ];
  return Date.parse(times.find((time) => time !== undefined) ?? "") || 0;
}

/** The pod to create, for one index in an Indexed job. */
export function jobPod(job: Job, index: number | undefined): Pod {
  const pod = podFromTemplate(job.spec?.template, { resource: resources.jobs, owner: job });
  const finalizers = [...(pod.metadata?.finalizers ?? []), trackingFinalizer];
  if (index === undefined) return { ...pod, metadata: { ...pod.metadata, finalizers } };
  const { annotations, labels } = pod.metadata ?? {};
  const name = `${job.metadata?.name ?? ""}-${index}`;
  const spec = pod.spec ?? { containers: [] };
  return {
    metadata: {
      ...pod.metadata,
      finalizers,
      generateName: `${name}-`,
      annotations: { ...annotations, [indexName]: String(index) },
      labels: { ...labels, [indexName]: String(index) },
    },
    spec: {
      ...spec,
      hostname: name,
      containers: spec.containers.map(withIndex),
      ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(withIndex) }),
    },
  };
}

function withIndex<T extends { readonly env?: readonly EnvVar[] }>(container: T): T {
  const name = "JOB_COMPLETION_INDEX";
  if (container.env?.some((variable) => variable.name === name) === true) return container;
  const valueFrom = { fieldRef: { apiVersion: "v1", fieldPath: `metadata.labels['${indexName}']` } };
  return { ...container, env: [...(container.env ?? []), { name, valueFrom }] };
}
