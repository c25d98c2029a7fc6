/** What a StatefulSet has to do next: one replica after the other, or all at once. */
import type { ControllerRevision, Pod, StatefulSet, StatefulSetStatus } from "../../api/generated/types.ts";
import { revisionHashLabel } from "../controller-revision/index.ts";
import { availableAtMs, isPodReady, isPodTerminal, resolveShare } from "../workload/index.ts";
import { ordinalOf, replicaPod, withIdentity } from "./identity.ts";

export interface StatefulSetInput {
  readonly set: StatefulSet;
  /** Those it owns. */
  readonly pods: readonly Pod[];
  /** The revision from which replicas are updated; the same as `update` where no update is under way. */
  readonly current: ControllerRevision;
  readonly update: ControllerRevision;
  /** Uids of pods whose deletion was asked for though the pods do not show it yet. */
  readonly deleting: ReadonlySet<string>;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface Replica {
  readonly ordinal: number;
  readonly pod: Pod;
}

export interface StatefulSetPlan {
  /** In this order. */
  readonly create: readonly Replica[];
  readonly remove: readonly Pod[];
  /** Pods that have ended and are removed so as to be made again. */
  readonly ended: readonly Pod[];
  /** Pods that lost a label of their identity. */
  readonly repair: readonly Pod[];
  /** Replicas in the set, and beyond its number. */
  readonly kept: readonly Replica[];
  readonly condemned: readonly Replica[];
  readonly status: StatefulSetStatus;
  readonly lookAgainAfterMs: number | undefined;
}

export function planStatefulSet(input: StatefulSetInput): StatefulSetPlan {
  const { set, pods, update, now } = input;
  const { replicas: count = 1, ordinals, minReadySeconds = 0 } = set.spec ?? {};
  const start = ordinals?.start ?? 0;
  const present = pods
    .map((pod) => ({ ordinal: ordinalOf(set, pod) ?? -1, pod }))
    .filter(({ ordinal }) => ordinal >= 0)
    .toSorted((a, b) => a.ordinal - b.ordinal);
  const kept = present.filter(({ ordinal }) => ordinal >= start && ordinal < start + count);
  const condemned = present.filter((replica) => !kept.includes(replica));
  const isLeaving = set.metadata?.deletionTimestamp !== undefined;
  const steps = isLeaving ? nothing : nextSteps(input, { kept, condemned });
  const waits = present
    .map(({ pod }) => (availableAtMs(pod, minReadySeconds) ?? 0) - now)
    .filter((waitMs) => waitMs > 0);
  const repair = isLeaving
    ? []
    : kept.flatMap(({ ordinal, pod }) => {
        const whole = withIdentity(set, ordinal, pod);
        return whole === pod || pod.metadata?.deletionTimestamp !== undefined ? [] : [whole];
      });
  return {
    ...steps,
    repair,
    kept,
    condemned,
    status: statusOf(input, present, update),
    lookAgainAfterMs: waits.length === 0 ? undefined : Math.min(...waits),
  };
}

type Steps = Pick<StatefulSetPlan, "create" | "remove" | "ended">;
const nothing: Steps = { create: [], remove: [], ended: [] };

/** Upstream's order: make what is missing from the lowest ordinal up, then remove from the highest down, then update. */
function nextSteps(
  input: StatefulSetInput,
  { kept, condemned }: { readonly kept: readonly Replica[]; readonly condemned: readonly Replica[] },
): Steps {
  const { set } = input;
  const { replicas: count = 1, ordinals, podManagementPolicy, updateStrategy } = set.spec ?? {};
  const isOrdered = podManagementPolicy !== "Parallel";
  const start = ordinals?.start ?? 0;
  const byOrdinal = new Map(kept.map((replica) => [replica.ordinal, replica.pod]));
  const create: Replica[] = [];
  const ended: Pod[] = [];
  for (let ordinal = start; ordinal < start + count; ordinal += 1) {
    const pod = byOrdinal.get(ordinal);
    if (pod === undefined) create.push({ ordinal, pod: replicaPod(set, ordinal, revisionFor(input, ordinal)) });
    else if (isPodTerminal(pod) && !isTerminating(input, pod)) ended.push(pod);
    else if (isAvailable(input, pod)) continue;
    if (isOrdered) return { create, ended, remove: [] };
  }
  const remove = scaleDown(input, condemned, isOrdered);
  if (create.length + ended.length + remove.length > 0) return { create, ended, remove };
  if (isOrdered && condemned.length > 0) return nothing;
  if (updateStrategy?.type === "OnDelete") return nothing;
  return { ...nothing, remove: updateSteps(input, kept) };
}

/** While an ordered set shrinks, one goes at a time, and the first that is ill does not hold up itself. */
function scaleDown(input: StatefulSetInput, condemned: readonly Replica[], isOrdered: boolean): readonly Pod[] {
  const leaving = condemned.map(({ pod }) => pod).toReversed();
  if (!isOrdered) return leaving.filter((pod) => !isTerminating(input, pod));
  const [next] = leaving;
  return next === undefined || isTerminating(input, next) ? [] : [next];
}

/** From the highest ordinal down to the partition; at most `maxUnavailable` at a time. */
function updateSteps(input: StatefulSetInput, kept: readonly Replica[]): readonly Pod[] {
  const { set, update } = input;
  const { partition = 0, maxUnavailable = 1 } = set.spec?.updateStrategy?.rollingUpdate ?? {};
  const limit = Math.max(resolveShare(maxUnavailable, { of: set.spec?.replicas ?? 1, round: Math.ceil }), 1);
  const lowest = (set.spec?.ordinals?.start ?? 0) + partition;
  const remove: Pod[] = [];
  let unavailable = 0;
  for (const { ordinal, pod } of kept.toReversed()) {
    if (ordinal < lowest || unavailable >= limit) break;
    if (revisionNameOf(pod) !== update.metadata?.name && !isTerminating(input, pod)) {
      remove.push(pod);
      unavailable += 1;
    } else if (!isAvailable(input, pod)) unavailable += 1;
  }
  return remove;
}

/** A replica that is made anew amid an update keeps the former template where the update has not come to it yet. */
function revisionFor({ set, current, update }: StatefulSetInput, ordinal: number): ControllerRevision {
  const { updateStrategy, ordinals } = set.spec ?? {};
  if (updateStrategy?.type === "OnDelete") return update;
  const start = ordinals?.start ?? 0;
  const partition = updateStrategy?.rollingUpdate?.partition ?? 0;
  const bound = partition > 0 ? partition : (set.status?.currentReplicas ?? 0);
  return ordinal < start + bound ? current : update;
}

function isTerminating({ deleting }: StatefulSetInput, { metadata }: Pod): boolean {
  return metadata?.deletionTimestamp !== undefined || deleting.has(metadata?.uid ?? "");
}

function isAvailable(input: StatefulSetInput, pod: Pod): boolean {
  const availableAt = availableAtMs(pod, input.set.spec?.minReadySeconds ?? 0);
  const isRunning = pod.status?.phase === "Running" && !isTerminating(input, pod);
  return isRunning && availableAt !== undefined && availableAt <= input.now;
}

function revisionNameOf({ metadata }: Pod): string | undefined {
  return metadata?.labels?.[revisionHashLabel];
}

function statusOf(
  input: StatefulSetInput,
  present: readonly Replica[],
  updateRevision: ControllerRevision,
): StatefulSetStatus {
  const { set, current, now } = input;
  const { replicas: wanted = 1, minReadySeconds = 0, updateStrategy } = set.spec ?? {};
  const { status, metadata } = set;
  const all = present.map(({ pod }) => pod);
  const running = all.filter(({ status: { phase } = {} }) => phase === "Running");
  const staying = all.filter((pod) => !isTerminating(input, pod));
  const madeFrom = (revision: ControllerRevision): number =>
    staying.filter((pod) => revisionNameOf(pod) === revision.metadata?.name).length;
  const updateName = updateRevision.metadata?.name ?? "";
  const updatedReplicas = madeFrom(updateRevision);
  const readyReplicas = running.filter(isPodReady).length;
  const isUpdated =
    updateStrategy?.type !== "OnDelete" &&
    updatedReplicas === wanted &&
    all.length === wanted &&
    readyReplicas === wanted;
  return {
    replicas: all.length,
    readyReplicas,
    availableReplicas: running.filter((pod) => (availableAtMs(pod, minReadySeconds) ?? Infinity) <= now).length,
    currentReplicas: isUpdated ? updatedReplicas : madeFrom(current),
    updatedReplicas,
    currentRevision: isUpdated ? updateName : (current.metadata?.name ?? ""),
    updateRevision: updateName,
    collisionCount: status?.collisionCount ?? 0,
    ...(metadata?.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    ...(status?.conditions === undefined ? {} : { conditions: status.conditions }),
  };
}
