/** One step of scaling: which ReplicaSet gets which size. ReplicaSets not named stay as they are. */
import type { Deployment, ReplicaSet } from "../../api/generated/types.ts";
import { maxRevision, revisionOf } from "./annotations.ts";
import { newestReplicas, proportion, specReplicas, total } from "./arithmetic.ts";
import type { Bounds } from "./arithmetic.ts";

/** New sizes. A size equal to the present one still brings the size annotations up to date. */
export type Scaling = ReadonlyMap<ReplicaSet, number>;

interface StepInput {
  readonly newest: ReplicaSet | undefined;
  readonly old: readonly ReplicaSet[];
  readonly bounds: Bounds;
}

/** Rolling update: first the new one up as far as the surge allows, else old ones down as far as availability allows. */
export function rollingStep({ newest, old, bounds }: StepInput): Scaling {
  const all = newest === undefined ? old : [newest, ...old];
  if (newest === undefined) return new Map();
  const size =
    specReplicas(newest) > bounds.replicas ? bounds.replicas : newestReplicas(newest, { all, bounds, isRolling: true });
  if (size !== specReplicas(newest)) return new Map([[newest, size]]);
  return oldDown({ newest, old, bounds }, all);
}

function oldDown({ newest, old, bounds }: StepInput, all: readonly ReplicaSet[]): Scaling {
  const sizes = new Map<ReplicaSet, number>();
  const active = old.filter((replicaSet) => specReplicas(replicaSet) > 0).toSorted(byCreation);
  if (active.length === 0) return sizes;
  const sizeOf = (replicaSet: ReplicaSet): number => sizes.get(replicaSet) ?? specReplicas(replicaSet);
  const minAvailable = bounds.replicas - bounds.maxUnavailable;
  const newestMissing = newest === undefined ? 0 : specReplicas(newest) - available(newest);
  let surplus = total(all, specReplicas) - minAvailable - newestMissing;
  if (surplus <= 0) return sizes;
  // Pods that do not serve go first: that costs nothing, and a broken old revision would else block the rollout.
  for (const replicaSet of active) {
    const count = Math.min(surplus, specReplicas(replicaSet) - available(replicaSet));
    if (count <= 0) continue;
    sizes.set(replicaSet, specReplicas(replicaSet) - count);
    surplus -= count;
  }
  let spare = total(all, available) - minAvailable;
  for (const replicaSet of active) {
    const count = Math.min(sizeOf(replicaSet), spare);
    if (count <= 0) continue;
    sizes.set(replicaSet, sizeOf(replicaSet) - count);
    spare -= count;
  }
  return sizes;
}

/** Recreate: everything old to nothing; the new one to its full size once it exists. */
export function recreateStep({ newest, old, bounds }: StepInput): Scaling {
  const active = old.filter((replicaSet) => specReplicas(replicaSet) > 0);
  if (active.length > 0) return new Map(active.map((replicaSet) => [replicaSet, 0]));
  return newest === undefined ? new Map() : new Map([[newest, bounds.replicas]]);
}

/** The Deployment was scaled, perhaps amid a rollout or while paused: all sizes change in proportion. */
export function scaleStep(deployment: Deployment, { newest, old, bounds }: StepInput): Scaling {
  const only = activeOrLatest(newest, old);
  if (only !== undefined) return new Map([[only, bounds.replicas]]);
  if (newest !== undefined && isSaturated(newest, bounds)) {
    return new Map(old.filter((replicaSet) => specReplicas(replicaSet) > 0).map((replicaSet) => [replicaSet, 0]));
  }
  if (deployment.spec?.strategy?.type === "Recreate") return new Map();
  return proportionalSizes(deployment, { newest, old, bounds });
}

function proportionalSizes(deployment: Deployment, { newest, old, bounds }: StepInput): Scaling {
  const active = [...old, ...(newest === undefined ? [] : [newest])].filter((rs) => specReplicas(rs) > 0);
  const allowed = bounds.replicas > 0 ? bounds.replicas + bounds.maxSurge : 0;
  const toAdd = allowed - total(active, specReplicas);
  // The largest get their share first; of equals the newer grows and the older shrinks first.
  const ordered = active.toSorted((a, b) => {
    const difference = specReplicas(b) - specReplicas(a);
    if (difference !== 0) return difference;
    return toAdd > 0 ? byCreation(b, a) : byCreation(a, b);
  });
  const sizes = new Map<ReplicaSet, number>();
  let added = 0;
  for (const replicaSet of ordered) {
    const share = proportion(replicaSet, { bounds, status: deployment.status ?? {}, toAdd, added });
    sizes.set(replicaSet, specReplicas(replicaSet) + share);
    added += share;
  }
  const [largest] = ordered;
  if (largest !== undefined && toAdd !== added) {
    sizes.set(largest, Math.max((sizes.get(largest) ?? 0) + toAdd - added, 0));
  }
  return sizes;
}

/** The one with replicas; where none has any, the newest. Undefined where several have. */
function activeOrLatest(newest: ReplicaSet | undefined, old: readonly ReplicaSet[]): ReplicaSet | undefined {
  const all = newest === undefined ? old : [newest, ...old];
  const active = all.filter((replicaSet) => specReplicas(replicaSet) > 0);
  if (active.length > 1) return undefined;
  const highest = maxRevision(old);
  return active[0] ?? newest ?? old.find((replicaSet) => revisionOf(replicaSet) === highest);
}

function isSaturated(newest: ReplicaSet, { replicas }: Bounds): boolean {
  return specReplicas(newest) === replicas && available(newest) === replicas;
}

/**
 * Those that will stay: right after scaling down the status still counts pods that are about to go, and counting on them
 * would take away one too many.
 */
function available(replicaSet: ReplicaSet): number {
  return Math.min(replicaSet.status?.availableReplicas ?? 0, specReplicas(replicaSet));
}

/** The oldest first. */
export function byCreation(a: ReplicaSet, b: ReplicaSet): number {
  const [left, right] = [a.metadata?.creationTimestamp ?? "", b.metadata?.creationTimestamp ?? ""];
  if (left !== right) return left < right ? -1 : 1;
  return (a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1;
}
