/** The next step of a Deployment: which ReplicaSets to make, scale or forget, and the status to report. */
import type { Deployment, DeploymentStatus, ReplicaSet } from "../../api/generated/types.ts";
import { resources } from "../../api/resources.ts";
import { canonicalText, controllerReference, isSame, templateHash } from "../workload/index.ts";
import {
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
  maxRevision,
  newestAnnotations,
  revisionAnnotation,
  revisionOf,
} from "./annotations.ts";
import { boundsOf, isScaling, newestReplicas, specReplicas } from "./arithmetic.ts";
import type { Bounds } from "./arithmetic.ts";
import { conditionOf, deadlineMs, deploymentStatus, hasDeadline, isComplete } from "./conditions.ts";
import type { Progress } from "./conditions.ts";
import { byCreation, recreateStep, rollingStep, scaleStep } from "./steps.ts";
import type { Scaling } from "./steps.ts";

export interface DeploymentInput {
  readonly deployment: Deployment;
  /** Those it controls, after adoption. */
  readonly replicaSets: readonly ReplicaSet[];
  /** Pods of a ReplicaSet that have not ended, those being deleted included: Recreate waits for them. */
  readonly runningPods: (replicaSet: ReplicaSet) => number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

interface DeploymentEvent {
  readonly reason: "ScalingReplicaSet";
  readonly message: string;
}

/** Writes to be done in this order: create, update, remove, annotate, status. */
export interface DeploymentPlan {
  readonly create: ReplicaSet | undefined;
  /** Replicas and annotations changed; carry the resource version they were planned from. */
  readonly update: readonly ReplicaSet[];
  /** Of the history beyond its limit. */
  readonly remove: readonly ReplicaSet[];
  /** The annotation of the Deployment, where it changes. */
  readonly revision: bigint | undefined;
  readonly status: DeploymentStatus;
  readonly events: readonly DeploymentEvent[];
  /** When the rollout's deadline passes, though nothing else changes. */
  readonly lookAgainAfterMs: number | undefined;
}

const podTemplateHashLabel = "pod-template-hash";

export function planDeployment(input: DeploymentInput): DeploymentPlan {
  const { deployment, now } = input;
  const isLeaving = deployment.metadata?.deletionTimestamp !== undefined;
  const found = findNewest(deployment, input.replicaSets);
  if (isLeaving) return finish(input, { ...idle(input, found), progress: undefined, isRollout: false });

  const isPaused = deployment.spec?.paused === true;
  const pauseProgress = pausedProgress(deployment, isPaused);
  const scalesOnly = isPaused || isScaling(deployment, input.replicaSets);
  const isRecreate = deployment.spec?.strategy?.type === "Recreate";
  const old = input.replicaSets.filter((replicaSet) => replicaSet !== found);
  // Recreate makes nothing new before the last old pod has gone.
  const waits =
    isRecreate && old.some((replicaSet) => specReplicas(replicaSet) > 0 || input.runningPods(replicaSet) > 0);
  const prepared = prepareNewest(input, { found, old, mayCreate: !scalesOnly && !waits });

  const bounds = boundsOf(deployment);
  const step: Scaling = scalesOnly
    ? scaleStep(deployment, { newest: prepared.newest, old, bounds })
    : isRecreate
      ? recreateStep({ newest: waits ? undefined : prepared.newest, old, bounds })
      : rollingStep({ newest: prepared.newest, old, bounds });
  const work = applyScaling(prepared, { old, step, bounds });
  return finish(input, {
    ...work,
    progress: prepared.progress ?? pauseProgress,
    isRollout: !scalesOnly,
    mayClean: isPaused || !scalesOnly,
    now,
  });
}

/** The oldest one with the Deployment's template: two can be equal where a hash collided. */
function findNewest(deployment: Deployment, replicaSets: readonly ReplicaSet[]): ReplicaSet | undefined {
  const wanted = canonicalText(deployment.spec?.template);
  return replicaSets.filter((replicaSet) => templateText(replicaSet) === wanted).toSorted(byCreation)[0];
}

/** The template of a ReplicaSet as its Deployment had it: without the hash. */
export function templateText({ spec }: ReplicaSet): string {
  const { [podTemplateHashLabel]: _hash, ...labels } = spec?.template?.metadata?.labels ?? {};
  const metadata = { ...spec?.template?.metadata, ...(Object.keys(labels).length === 0 ? {} : { labels }) };
  return canonicalText({ ...spec?.template, metadata });
}

function pausedProgress(deployment: Deployment, isPaused: boolean): Progress | undefined {
  const reason = conditionOf(deployment.status, "Progressing")?.reason;
  if (!hasDeadline(deployment) || reason === "ProgressDeadlineExceeded") return undefined;
  if (isPaused && reason !== "DeploymentPaused") {
    return { status: "Unknown", reason: "DeploymentPaused", message: "Deployment is paused" };
  }
  if (!isPaused && reason === "DeploymentPaused") {
    return { status: "Unknown", reason: "DeploymentResumed", message: "Deployment is resumed" };
  }
  return undefined;
}

interface Prepared {
  readonly newest: ReplicaSet | undefined;
  /** Not on the server yet. */
  readonly isNew: boolean;
  readonly isChanged: boolean;
  readonly progress: Progress | undefined;
}

function prepareNewest(
  { deployment, replicaSets }: DeploymentInput,
  {
    found,
    old,
    mayCreate,
  }: {
    readonly found: ReplicaSet | undefined;
    readonly old: readonly ReplicaSet[];
    readonly mayCreate: boolean;
  },
): Prepared {
  const revision = maxRevision(old) + 1n;
  if (found !== undefined) return refresh(deployment, { found, revision });
  if (!mayCreate) return { newest: undefined, isNew: false, isChanged: false, progress: undefined };
  const newest = newReplicaSet(deployment, { all: replicaSets, revision });
  const message = `Created new replica set "${newest.metadata?.name}"`;
  const progress: Progress = { status: "True", reason: "NewReplicaSetCreated", message };
  return { newest, isNew: true, isChanged: false, progress };
}

function refresh(
  deployment: Deployment,
  { found, revision }: { readonly found: ReplicaSet; readonly revision: bigint },
): Prepared {
  const present = found.metadata?.annotations ?? {};
  const annotations = newestAnnotations(deployment, { present, revision });
  const minReadySeconds = deployment.spec?.minReadySeconds ?? 0;
  const isChanged = !isSame(annotations, present) || (found.spec?.minReadySeconds ?? 0) !== minReadySeconds;
  const isKnown = conditionOf(deployment.status, "Progressing") !== undefined;
  const message = `Found new replica set "${found.metadata?.name}"`;
  return {
    newest: isChanged
      ? {
          ...found,
          metadata: { ...found.metadata, annotations },
          spec: { selector: {}, ...found.spec, ...(minReadySeconds === 0 ? {} : { minReadySeconds }) },
        }
      : found,
    isNew: false,
    isChanged,
    progress:
      isKnown || !hasDeadline(deployment) ? undefined : { status: "True", reason: "FoundNewReplicaSet", message },
  };
}

function newReplicaSet(
  deployment: Deployment,
  { all, revision }: { readonly all: readonly ReplicaSet[]; readonly revision: bigint },
): ReplicaSet {
  const { metadata, spec, status } = deployment;
  const hash = templateHash(spec?.template, status?.collisionCount);
  const labels = { ...spec?.template.metadata?.labels, [podTemplateHashLabel]: hash };
  const bounds = boundsOf(deployment);
  const isRolling = spec?.strategy?.type !== "Recreate";
  return {
    metadata: {
      name: `${metadata?.name}-${hash}`,
      ...(metadata?.namespace === undefined ? {} : { namespace: metadata.namespace }),
      labels,
      annotations: { ...newestAnnotations(deployment, { present: {}, revision }), ...sizeAnnotations(bounds) },
      ownerReferences: [controllerReference(resources.deployments, deployment)],
    },
    spec: {
      replicas: newestReplicas(undefined, { all, bounds, isRolling }),
      ...(spec?.minReadySeconds === undefined ? {} : { minReadySeconds: spec.minReadySeconds }),
      selector: {
        ...spec?.selector,
        matchLabels: { ...spec?.selector.matchLabels, [podTemplateHashLabel]: hash },
      },
      template: { ...spec?.template, metadata: { ...spec?.template.metadata, labels } },
    },
  };
}

function sizeAnnotations({ replicas, maxSurge }: Bounds): Readonly<Record<string, string>> {
  return {
    [desiredReplicasAnnotation]: String(replicas),
    [maxReplicasAnnotation]: String(replicas + maxSurge),
  };
}

interface Work {
  readonly create: ReplicaSet | undefined;
  readonly update: readonly ReplicaSet[];
  readonly newest: ReplicaSet | undefined;
  readonly old: readonly ReplicaSet[];
  readonly events: readonly DeploymentEvent[];
  readonly didScale: boolean;
}

function applyScaling(
  prepared: Prepared,
  { old, step, bounds }: { readonly old: readonly ReplicaSet[]; readonly step: Scaling; readonly bounds: Bounds },
): Work {
  const events: DeploymentEvent[] = [];
  const update: ReplicaSet[] = [];
  const scaled = (replicaSet: ReplicaSet): ReplicaSet => {
    const isNewest = replicaSet === prepared.newest;
    const size = step.get(replicaSet);
    if (isNewest && prepared.isNew) {
      if (specReplicas(replicaSet) > 0) events.push(scaleEvent(replicaSet, { from: 0, to: specReplicas(replicaSet) }));
      return replicaSet;
    }
    const next = size === undefined ? replicaSet : resized(replicaSet, { size, bounds });
    if (next !== replicaSet || (isNewest && prepared.isChanged)) update.push(next);
    const [from, to] = [specReplicas(replicaSet), specReplicas(next)];
    if (from !== to) events.push(scaleEvent(replicaSet, { from, to }));
    return next;
  };
  const newest = prepared.newest === undefined ? undefined : scaled(prepared.newest);
  const rest = old.map(scaled);
  return {
    create: prepared.isNew ? newest : undefined,
    update,
    newest,
    old: rest,
    events,
    didScale: events.length > 0,
  };
}

function resized(
  replicaSet: ReplicaSet,
  { size, bounds }: { readonly size: number; readonly bounds: Bounds },
): ReplicaSet {
  const present = replicaSet.metadata?.annotations ?? {};
  const annotations = { ...present, ...sizeAnnotations(bounds) };
  if (size === specReplicas(replicaSet) && isSame(annotations, present)) return replicaSet;
  return {
    ...replicaSet,
    metadata: { ...replicaSet.metadata, annotations },
    spec: { selector: {}, ...replicaSet.spec, replicas: size },
  };
}

function scaleEvent(
  replicaSet: ReplicaSet,
  { from, to }: { readonly from: number; readonly to: number },
): DeploymentEvent {
  const direction = to > from ? "up" : "down";
  const message = `Scaled ${direction} replica set ${replicaSet.metadata?.name} from ${from} to ${to}`;
  return { reason: "ScalingReplicaSet", message };
}

function idle({ replicaSets }: DeploymentInput, found: ReplicaSet | undefined): Work {
  const old = replicaSets.filter((replicaSet) => replicaSet !== found);
  return { create: undefined, update: [], newest: found, old, events: [], didScale: false };
}

function finish(
  { deployment, now }: DeploymentInput,
  work: Work & {
    readonly progress: Progress | undefined;
    readonly isRollout: boolean;
    readonly mayClean?: boolean;
    readonly now?: number;
  },
): DeploymentPlan {
  const all = work.newest === undefined ? work.old : [work.newest, ...work.old];
  const status = deploymentStatus({
    deployment,
    newest: work.newest,
    all,
    progress: work.progress,
    isRollout: work.isRollout,
    collisionCount: deployment.status?.collisionCount,
    now,
  });
  const isSettled = work.mayClean === true && (deployment.spec?.paused === true || isComplete(deployment, status));
  const revision = work.newest === undefined ? 0n : revisionOf(work.newest);
  const deadline = work.isRollout ? deadlineMs(deployment, conditionOf(status, "Progressing")) : Infinity;
  return {
    create: work.create,
    update: work.update,
    remove: isSettled && !work.didScale ? beyondHistory(deployment, work.old) : [],
    revision:
      revision > 0n && deployment.metadata?.annotations?.[revisionAnnotation] !== String(revision)
        ? revision
        : undefined,
    status,
    events: work.events,
    // One second later than the deadline, so that it has passed for sure.
    lookAgainAfterMs: deadline === Infinity ? undefined : Math.max(deadline - now, 0) + 1000,
  };
}

/** The oldest empty ReplicaSets beyond `revisionHistoryLimit`. */
function beyondHistory(deployment: Deployment, old: readonly ReplicaSet[]): readonly ReplicaSet[] {
  const kept = old.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
  const surplus = kept.length - (deployment.spec?.revisionHistoryLimit ?? 10);
  if (surplus <= 0) return [];
  return kept
    .toSorted((a, b) => Number(revisionOf(a) - revisionOf(b)))
    .slice(0, surplus)
    .filter(
      ({ metadata, spec, status }) =>
        spec?.replicas === 0 &&
        (status?.replicas ?? 0) === 0 &&
        (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0),
    );
}
