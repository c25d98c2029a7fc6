/** The table that ReplicaSets and ReplicationControllers share. */
import type { Container } from "../generated/types.ts";
import type { KubernetesObject } from "../object.ts";
import {
  ageColumn,
  ageOf,
  column,
  containerCells,
  containerColumns,
  nameColumn,
  nameOf,
  selectorColumn,
} from "./columns.ts";
import type { Cell, Column } from "./definition.ts";

interface Replicated extends KubernetesObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: { readonly spec?: { readonly containers: readonly Container[] } };
  };
  readonly status?: { readonly replicas: number; readonly readyReplicas?: number };
}

export const replicaColumns: readonly Column[] = [
  nameColumn,
  column("Desired", "Pods wanted.", "integer"),
  column("Current", "Pods there are.", "integer"),
  column("Ready", "Pods that are ready.", "integer"),
  ageColumn,
  ...containerColumns,
  selectorColumn,
];

/** The cells of `replicaColumns`; how a selector reads differs between the two. */
export function replicaCells(object: Replicated, now: Date, selector: string): readonly Cell[] {
  const { spec, status } = object;
  return [
    nameOf(object),
    spec?.replicas ?? 0,
    status?.replicas ?? 0,
    status?.readyReplicas ?? 0,
    ageOf(object, now),
    ...containerCells(spec?.template?.spec?.containers),
    selector,
  ];
}
