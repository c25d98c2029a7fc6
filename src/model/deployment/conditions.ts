/** The status of a Deployment: its numbers and its conditions, with upstream's reasons and messages. */
import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from "../../api/generated/types.ts";
import { boundsOf, specReplicas, total } from "./arithmetic.ts";

/** What the condition Progressing is to say, where the step itself knows. */
export interface Progress {
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}

export interface StatusInput {
  readonly deployment: Deployment;
  /** Undefined where it is not made yet. */
  readonly newest: ReplicaSet | undefined;
  readonly all: readonly ReplicaSet[];
  /** Of this step: "NewReplicaSetCreated", "DeploymentPaused", … */
  readonly progress: Progress | undefined;
  /** Whether the rollout's progress is judged; not while it is paused or only scaled. */
  readonly isRollout: boolean;
  readonly collisionCount: number | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The longest possible deadline means that there is none. */
const noDeadline = 2_147_483_647;

export function hasDeadline(deployment: Deployment): boolean {
  return (deployment.spec?.progressDeadlineSeconds ?? 600) !== noDeadline;
}

export function conditionOf(status: DeploymentStatus | undefined, type: string): DeploymentCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

/** Equal to the present status, times included, where nothing has changed. */
export function deploymentStatus(input: StatusInput): DeploymentStatus {
  const { deployment, newest, all, progress, isRollout, collisionCount, now } = input;
  const before = deployment.status ?? {};
  const numbers = numbersOf(input);
  const conditions = new Conditions(before.conditions ?? [], now);
  if (progress !== undefined) conditions.set({ type: "Progressing", ...progress });
  const bounds = boundsOf(deployment);
  const isAvailable = (numbers.availableReplicas ?? 0) >= bounds.replicas - bounds.maxUnavailable;
  conditions.set(
    isAvailable
      ? {
          type: "Available",
          status: "True",
          reason: "MinimumReplicasAvailable",
          message: "Deployment has minimum availability.",
        }
      : {
          type: "Available",
          status: "False",
          reason: "MinimumReplicasUnavailable",
          message: "Deployment does not have minimum availability.",
        },
  );
  if (isRollout) judgeProgress(input, { numbers, conditions });
  const failure = failureOf(all, newest);
  if (failure === undefined) conditions.remove("ReplicaFailure");
  else conditions.set({ type: "ReplicaFailure", ...failure });
  return {
    ...numbers,
    ...(collisionCount === undefined ? {} : { collisionCount }),
    ...(conditions.list.length === 0 ? {} : { conditions: conditions.list }),
  };
}

function numbersOf({ deployment, newest, all }: StatusInput): DeploymentStatus {
  const available = total(all, ({ status }) => status?.availableReplicas ?? 0);
  const generation = deployment.metadata?.generation;
  // As upstream's JSON, zero is left out.
  const counted = {
    replicas: total(all, ({ status }) => status?.replicas ?? 0),
    updatedReplicas: newest?.status?.replicas ?? 0,
    readyReplicas: total(all, ({ status }) => status?.readyReplicas ?? 0),
    availableReplicas: available,
    unavailableReplicas: Math.max(total(all, specReplicas) - available, 0),
  };
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...Object.fromEntries(Object.entries(counted).filter(([, count]) => count > 0)),
  };
}

function judgeProgress(
  { deployment, newest, now }: StatusInput,
  { numbers, conditions }: { readonly numbers: DeploymentStatus; readonly conditions: Conditions },
): void {
  if (!hasDeadline(deployment)) {
    conditions.remove("Progressing");
    return;
  }
  const current = conditions.get("Progressing");
  const isSettled = (numbers.replicas ?? 0) === (numbers.updatedReplicas ?? 0);
  if (isSettled && current?.reason === "NewReplicaSetAvailable") return;
  const subject =
    newest === undefined ? `Deployment "${deployment.metadata?.name}"` : `ReplicaSet "${newest.metadata?.name}"`;
  if (isComplete(deployment, numbers)) {
    conditions.set({
      type: "Progressing",
      status: "True",
      reason: "NewReplicaSetAvailable",
      message: `${subject} has successfully progressed.`,
    });
  } else if (hasProgressed(deployment.status ?? {}, numbers)) {
    // Said anew though nothing but its time changes: the deadline counts from it.
    conditions.renew({
      type: "Progressing",
      status: "True",
      reason: "ReplicaSetUpdated",
      message: `${subject} is progressing.`,
    });
  } else if (deadlineMs(deployment, current) < now) {
    conditions.set({
      type: "Progressing",
      status: "False",
      reason: "ProgressDeadlineExceeded",
      message: `${subject} has timed out progressing.`,
    });
  }
}

/** All replicas are of the newest template and available. */
export function isComplete(deployment: Deployment, numbers: DeploymentStatus): boolean {
  const replicas = deployment.spec?.replicas ?? 1;
  return (
    (numbers.updatedReplicas ?? 0) === replicas &&
    (numbers.replicas ?? 0) === replicas &&
    (numbers.availableReplicas ?? 0) === replicas &&
    (numbers.observedGeneration ?? 0) >= (deployment.metadata?.generation ?? 0)
  );
}

function oldReplicas({ replicas = 0, updatedReplicas = 0 }: DeploymentStatus): number {
  return replicas - updatedReplicas;
}

function hasProgressed(before: DeploymentStatus, after: DeploymentStatus): boolean {
  return (
    (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    oldReplicas(after) < oldReplicas(before) ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

/** When the rollout counts as stuck, in milliseconds since the epoch; Infinity where it does not run. */
export function deadlineMs(deployment: Deployment, progressing: DeploymentCondition | undefined): number {
  const reason = progressing?.reason;
  const isOver = reason === "NewReplicaSetAvailable" || reason === "ProgressDeadlineExceeded";
  if (progressing === undefined || isOver || !hasDeadline(deployment)) return Infinity;
  return Date.parse(progressing.lastUpdateTime ?? "") + (deployment.spec?.progressDeadlineSeconds ?? 600) * 1000;
}

/** The newest ReplicaSet's trouble in making pods, else another's. */
function failureOf(all: readonly ReplicaSet[], newest: ReplicaSet | undefined): Progress | undefined {
  for (const replicaSet of newest === undefined ? all : [newest, ...all]) {
    const failure = replicaSet.status?.conditions?.find(({ type }) => type === "ReplicaFailure");
    if (failure === undefined) continue;
    return { status: "True", reason: failure.reason ?? "", message: failure.message ?? "" };
  }
  return undefined;
}

class Conditions {
  list: readonly DeploymentCondition[];
  readonly #now: string;

  constructor(list: readonly DeploymentCondition[], now: number) {
    this.list = list;
    this.#now = new Date(now).toISOString().replace(/\.\d+Z$/, "Z");
  }

  get(type: string): DeploymentCondition | undefined {
    return this.list.find((condition) => condition.type === type);
  }

  remove(type: string): void {
    this.list = this.list.filter((condition) => condition.type !== type);
  }

  /** Same status and reason: stays as it is. Same status: keeps the time of its transition. */
  set(condition: Progress & { readonly type: string }): void {
    const current = this.get(condition.type);
    if (current?.status === condition.status && current.reason === condition.reason) return;
    this.renew(condition);
  }

  renew(condition: Progress & { readonly type: string }): void {
    const current = this.get(condition.type);
    const lastTransitionTime = current?.status === condition.status ? current.lastTransitionTime : undefined;
    const renewed = {
      ...condition,
      lastUpdateTime: this.#now,
      lastTransitionTime: lastTransitionTime ?? this.#now,
    };
    this.list = [...this.list.filter(({ type }) => type !== condition.type), renewed];
  }
}
