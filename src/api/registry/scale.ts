/** The subresource `scale`: autoscaling/v1 Scale as a view of a workload. */
import { selectorOf, selectorText } from "../../lib/labels/index.ts";
import type { FieldError } from "../field-error.ts";
import type { LabelSelector, Scale } from "../generated/types.ts";
import type { KubernetesObject } from "../object.ts";
import { nonNegative } from "./checks.ts";
import type { ResourceDefinition, Scaling, Subresource } from "./definition.ts";
import { draftOf } from "./draft.ts";

export const scaleSubresource: Subresource = {
  style: "action",
  verbs: ["get", "patch", "update"],
  kind: "Scale",
  group: "autoscaling",
  version: "v1",
  type: "Scale",
};

interface Replicated<Selector> extends KubernetesObject {
  readonly spec?: { readonly replicas?: number; readonly selector?: Selector };
  readonly status?: { readonly replicas?: number };
}

/** Of workloads that keep `spec.replicas` pods, with their selector as `structured` gives it. */
function scalingBy<Selector>(
  structured: (selector: Selector | undefined) => LabelSelector | undefined,
): Scaling<Replicated<Selector>> {
  return {
    read: ({ spec, status }) => ({
      specReplicas: spec?.replicas ?? 0,
      statusReplicas: status?.replicas ?? 0,
      selector: selectorText(selectorOf(structured(spec?.selector)) ?? []),
    }),
    write(draft, replicas) {
      if (draft.spec) draft.spec.replicas = replicas;
    },
  };
}

export const scalingBySelector = scalingBy<LabelSelector>((selector) => selector);
/** Of ReplicationControllers, whose selector is a map of labels. */
export const scalingByLabels = scalingBy<Readonly<Record<string, string>>>((matchLabels = {}) => ({ matchLabels }));

/** The workload as a Scale; undefined where the resource has no such view. */
export function scaleOf<T extends KubernetesObject>(definition: ResourceDefinition<T>, object: T): Scale | undefined {
  if (!definition.scaling) return undefined;
  const { specReplicas, statusReplicas, selector } = definition.scaling.read(object);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata ?? {};
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
    },
    spec: specReplicas === 0 ? {} : { replicas: specReplicas },
    status: { replicas: statusReplicas, ...(selector === "" ? {} : { selector }) },
  };
}

/** The workload with another number of replicas. A resource version, unless empty, is the precondition of the write. */
export function withScale<T extends KubernetesObject>(
  definition: ResourceDefinition<T>,
  object: T,
  { replicas, resourceVersion = "" }: { readonly replicas: number; readonly resourceVersion: string | undefined },
): T {
  const draft = draftOf(object);
  definition.scaling?.write(draft, replicas);
  const { resourceVersion: _stored, ...metadata } = object.metadata ?? {};
  return { ...(draft as T), metadata: { ...metadata, ...(resourceVersion === "" ? {} : { resourceVersion }) } };
}

export function validateScale(scale: Scale): readonly FieldError[] {
  return nonNegative(scale.spec?.replicas, "spec.replicas");
}
