/** The subresource `scale`: autoscaling/v1 Scale as a view of a workload. */
import type { FieldError } from "../field-error.ts";
import type { Scale } from "../generated/types.ts";
import type { KubernetesObject } from "../object.ts";
import { nonNegative } from "./checks.ts";
import type { ResourceDefinition, Subresource } from "./definition.ts";
import { draftOf } from "./draft.ts";

export const scaleSubresource: Subresource = {
  style: "action",
  verbs: ["get", "patch", "update"],
  kind: "Scale",
  group: "autoscaling",
  version: "v1",
  type: "Scale",
};

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
