/** How many pods a rollout may have too many and too few. */
import type { Deployment, ReplicaSet } from "../../api/generated/types.ts";
import { resolveShare } from "../workload/index.ts";
import { desiredReplicasAnnotation, maxReplicasAnnotation, numberAnnotation } from "./annotations.ts";

export interface Bounds {
  /** `spec.replicas`. */
  readonly replicas: number;
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

/** A percentage of the surge is rounded up, one of the unavailable down; both zero would never get on, so one may miss. */
export function boundsOf(deployment: Deployment): Bounds {
  const { replicas = 1, strategy } = deployment.spec ?? {};
  if (strategy?.type === "Recreate") return { replicas, maxSurge: 0, maxUnavailable: 0 };
  const { maxSurge = "25%", maxUnavailable = "25%" } = strategy?.rollingUpdate ?? {};
  const surge = resolveShare(maxSurge, { of: replicas, round: Math.ceil });
  const unavailable = resolveShare(maxUnavailable, { of: replicas, round: Math.floor });
  return {
    replicas,
    maxSurge: surge,
    maxUnavailable: Math.min(surge === 0 && unavailable === 0 ? 1 : unavailable, replicas),
  };
}

export function specReplicas(replicaSet: ReplicaSet): number {
  return replicaSet.spec?.replicas ?? 1;
}

export function total(replicaSets: readonly ReplicaSet[], value: (replicaSet: ReplicaSet) => number): number {
  return replicaSets.reduce((sum, replicaSet) => sum + value(replicaSet), 0);
}

/** How many replicas the newest ReplicaSet may have beside `all`, itself included. */
export function newestReplicas(
  newest: ReplicaSet | undefined,
  {
    all,
    bounds,
    isRolling,
  }: { readonly all: readonly ReplicaSet[]; readonly bounds: Bounds; readonly isRolling: boolean },
): number {
  const present = newest === undefined ? 0 : specReplicas(newest);
  if (!isRolling) return bounds.replicas;
  const room = bounds.replicas + bounds.maxSurge - total(all, specReplicas);
  if (room <= 0) return present;
  return present + Math.min(room, bounds.replicas - present);
}

/** The share of `toAdd` (negative: to take away) that falls to one ReplicaSet by its size. */
export function proportion(
  replicaSet: ReplicaSet,
  {
    bounds,
    status,
    toAdd,
    added,
  }: {
    readonly bounds: Bounds;
    readonly status: { readonly replicas?: number };
    readonly toAdd: number;
    readonly added: number;
  },
): number {
  const present = specReplicas(replicaSet);
  if (present === 0 || toAdd === 0 || toAdd === added) return 0;
  const share = shareOf(replicaSet, { bounds, status });
  return toAdd > 0 ? Math.min(share, toAdd - added) : Math.max(share, toAdd - added);
}

function shareOf(
  replicaSet: ReplicaSet,
  { bounds, status }: { readonly bounds: Bounds; readonly status: { readonly replicas?: number } },
): number {
  const present = specReplicas(replicaSet);
  if (bounds.replicas === 0) return -present;
  const formerTotal = numberAnnotation(replicaSet, maxReplicasAnnotation) ?? status.replicas ?? 0;
  if (formerTotal === 0) return 0;
  return Math.round((present * (bounds.replicas + bounds.maxSurge)) / formerTotal) - present;
}

/** Whether the Deployment was scaled since its ReplicaSets were: they are then scaled before a rollout goes on. */
export function isScaling(deployment: Deployment, replicaSets: readonly ReplicaSet[]): boolean {
  const replicas = deployment.spec?.replicas ?? 1;
  return replicaSets.some((replicaSet) => {
    const desired = numberAnnotation(replicaSet, desiredReplicasAnnotation);
    return specReplicas(replicaSet) > 0 && desired !== undefined && desired !== replicas;
  });
}
