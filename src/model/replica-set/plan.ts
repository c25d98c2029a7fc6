/** What a ReplicaSet has to do: claim its pods, make or delete some, say how it stands. */
import type {
  Pod,
  PodTemplateSpec,
  ReplicaSet,
  ReplicaSetCondition,
  ReplicaSetStatus,
} from "../../api/generated/types.ts";
import { matchesSelector } from "../../lib/labels/index.ts";
import { availableAtMs, claim, isPodActive, isPodReady, timeText } from "../workload/index.ts";
import { deletionOrder } from "./deletion-order.ts";

export interface ReplicaSetInput {
  readonly replicaSet: ReplicaSet;
  /** All pods of the namespace that may be its: those it controls and those without a controller. */
  readonly pods: readonly Pod[];
  /** Uids of pods whose deletion was asked for though the pods do not show it yet. */
  readonly deleting: ReadonlySet<string>;
  /** Active pods of the same Deployment on a node, for the order of deletion. */
  readonly neighbours: (pod: Pod) => number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface ReplicaSetPlan {
  readonly adopt: readonly Pod[];
  readonly release: readonly Pod[];
  /** How many pods to make from the template. */
  readonly create: number;
  /** In the order in which they are to go. */
  readonly remove: readonly Pod[];
  /** The pods that count. */
  readonly active: readonly Pod[];
  /** When a ready pod becomes available, though nothing else changes. */
  readonly lookAgainAfterMs: number | undefined;
}

/** More pods than this are not made or deleted at a time; the next look goes on. */
const burstReplicas = 500;

export function planReplicaSet({ replicaSet, pods, deleting, neighbours, now }: ReplicaSetInput): ReplicaSetPlan {
  const selector = replicaSet.spec?.selector ?? {};
  const { claimed, adopt, release } = claim(pods.filter(isPodActive), {
    owner: replicaSet,
    matches: (pod) => matchesSelector(selector, pod.metadata?.labels ?? {}),
  });
  const active = claimed.filter((pod) => !deleting.has(pod.metadata?.uid ?? ""));
  const isLeaving = replicaSet.metadata?.deletionTimestamp !== undefined;
  const missing = isLeaving ? 0 : (replicaSet.spec?.replicas ?? 1) - active.length;
  const minReadySeconds = replicaSet.spec?.minReadySeconds ?? 0;
  const waits = active.map((pod) => (availableAtMs(pod, minReadySeconds) ?? 0) - now).filter((waitMs) => waitMs > 0);
  return {
    adopt,
    release,
    create: Math.min(Math.max(missing, 0), burstReplicas),
    remove: missing < 0 ? deletionOrder(active, { neighbours, now }).slice(0, Math.min(-missing, burstReplicas)) : [],
    active,
    lookAgainAfterMs: waits.length === 0 ? undefined : Math.min(...waits),
  };
}

/** The status for the pods that are; equal to the present one where nothing has changed. */
export function replicaSetStatus(
  replicaSet: ReplicaSet,
  {
    active,
    now,
    failure,
  }: { readonly active: readonly Pod[]; readonly now: number; readonly failure?: Failure | undefined },
): ReplicaSetStatus {
  const { spec, metadata, status } = replicaSet;
  const conditions = conditionsOf(status?.conditions ?? [], { failure, now });
  return {
    replicas: active.length,
    fullyLabeledReplicas: active.filter((pod) => isFullyLabeled(pod, spec?.template)).length,
    readyReplicas: active.filter(isPodReady).length,
    availableReplicas: active.filter((pod) => (availableAtMs(pod, spec?.minReadySeconds ?? 0) ?? Infinity) <= now)
      .length,
    ...(metadata?.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    ...(conditions.length === 0 ? {} : { conditions }),
  };
}

/** Why pods could not be made or deleted. */
export interface Failure {
  readonly reason: "FailedCreate" | "FailedDelete";
  readonly message: string;
}

function conditionsOf(
  conditions: readonly ReplicaSetCondition[],
  { failure, now }: { readonly failure: Failure | undefined; readonly now: number },
): readonly ReplicaSetCondition[] {
  const known = conditions.find(({ type }) => type === "ReplicaFailure");
  const others = conditions.filter((condition) => condition !== known);
  if (failure === undefined) return others;
  // As upstream, the first message stays: each try names another pod, and to write that would bring on the next try.
  if (known?.status === "True" && known.reason === failure.reason) return conditions;
  const lastTransitionTime = known?.lastTransitionTime ?? timeText(now);
  return [...others, { type: "ReplicaFailure", status: "True", ...failure, lastTransitionTime }];
}

function isFullyLabeled(pod: Pod, template: PodTemplateSpec | undefined): boolean {
  const labels = pod.metadata?.labels ?? {};
  return Object.entries(template?.metadata?.labels ?? {}).every(([name, value]) => labels[name] === value);
}
