/** Keeps the replicas of StatefulSets, each with its name and its claims. */
import { keyOf, keyText } from "../../api/object.ts";
import type { KubernetesObject } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import type { PersistentVolumeClaim, Pod, StatefulSet } from "../../api/generated/types.ts";
import { matchesSelector } from "../../lib/labels/index.ts";
import { referenceTo } from "../../machinery/events/index.ts";
import type { EventRecorder } from "../../machinery/events/index.ts";
import { revisionHashLabel } from "../../model/controller-revision/index.ts";
import { claimsOf, ordinalOf, planStatefulSet, withOwners } from "../../model/stateful-set/index.ts";
import type { Replica } from "../../model/stateful-set/index.ts";
import { claim, isSame } from "../../model/workload/index.ts";
import { adopt, release } from "./adoption.ts";
import { isAlreadyExists, isNamespaceTerminating } from "./answers.ts";
import type { ControllerContext, CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";
import { ownKey, textOf } from "./keys.ts";
import { createPodControl } from "./pod-control.ts";
import { ownersOf } from "./pod-owners.ts";
import { claimRevisions, newestRevision, removeSurplusRevisions } from "./revision-control.ts";

const { statefulSets: resource } = resources;

const texts = {
  done: (verb: string, pod: Pod, owner: KubernetesObject): string =>
    `${verb} Pod ${pod.metadata?.name} in StatefulSet ${owner.metadata?.name} successful`,
  failed: (verb: string, pod: Pod, owner: KubernetesObject, error: string): string =>
    `${verb} Pod ${pod.metadata?.name} in StatefulSet ${owner.metadata?.name} failed error: ${error}`,
};

export const createStatefulSetController: CreateController = (context) => {
  const { client, clock, informers } = context;
  const { pods, statefulSets, controllerRevisions, persistentVolumeClaims } = informers;
  const recorder = context.recorder("statefulset-controller");
  const control = createPodControl(context, { resource, recorder, texts });

  const reconcile = async (key: string): Promise<{ readonly requeueAfterMs: number } | undefined> => {
    const set = statefulSets.store.get(key);
    if (set === undefined) return undefined;
    const historic = { resource, owner: set, hashLabel: "controller.kubernetes.io/hash" };
    const own = await claimPods(context, set);
    const revisions = await claimRevisions(context, historic);
    const collisions = set.status?.collisionCount ?? 0;
    const update = await newestRevision(context, historic, { revisions, collisions });
    if (update === undefined) {
      await writeStatus(set, { ...set.status, replicas: set.status?.replicas ?? 0, collisionCount: collisions + 1 });
      return undefined;
    }
    const currentName = set.status?.currentRevision;
    const current = revisions.find(({ metadata }) => metadata?.name === currentName) ?? update;
    const plan = planStatefulSet({ set, pods: own, current, update, deleting: control.deleting, now: clock.now() });
    for (const pod of plan.ended) {
      const isFailed = pod.status?.phase === "Failed";
      recorder.event(referenceTo(resource, set), {
        type: isFailed ? "Warning" : "Normal",
        reason: isFailed ? "RecreatingFailedPod" : "RecreatingTerminatedPod",
        message: `StatefulSet ${key} is recreating ${isFailed ? "failed" : "terminated"} Pod ${pod.metadata?.name ?? ""}`,
      });
    }
    await writeStatus(set, plan.status);
    await keepClaims(context, set, plan);
    for (const pod of plan.repair) pods.observe(await client.update(resources.pods, pod));
    for (const pod of [...plan.ended, ...plan.remove]) await control.remove(set, pod);
    for (const replica of plan.create) await createReplica(set, replica);
    await removeSurplusRevisions(context, historic, {
      revisions,
      isLive: ({ metadata }) =>
        [update, current].some((revision) => revision.metadata?.name === metadata?.name) ||
        own.some((pod) => pod.metadata?.labels?.[revisionHashLabel] === metadata?.name),
    });
    return plan.lookAgainAfterMs === undefined ? undefined : { requeueAfterMs: plan.lookAgainAfterMs };
  };

  const createReplica = async (set: StatefulSet, { ordinal, pod }: Replica): Promise<void> => {
    try {
      for (const wanted of claimsOf(set, ordinal)) {
        if (persistentVolumeClaims.store.get(textOf(wanted)) !== undefined) continue;
        await createClaim(context, { set, claim: wanted, pod, recorder });
      }
      await control.create(set, pod);
    } catch (error) {
      // A pod of the same name that is another's, or one that is just leaving: its end brings us back.
      if (!isNamespaceTerminating(error)) throw error;
    }
  };

  const writeStatus = async (set: StatefulSet, status: NonNullable<StatefulSet["status"]>): Promise<void> => {
    if (isSame(status, set.status)) return;
    statefulSets.observe(await client.update(resource, { ...set, status }, { subresource: "status" }));
  };

  const reconciler = reconcilerOf(context, {
    name: "statefulset",
    waitFor: [pods, statefulSets, controllerRevisions, persistentVolumeClaims],
    concurrency: 5,
    reconcile,
  });
  reconciler.on(statefulSets, ownKey);
  reconciler.on(pods, (change) => ownersOf(statefulSets, change));
  return reconciler;
};

async function claimPods(context: ControllerContext, set: StatefulSet): Promise<readonly Pod[]> {
  const { pods } = context.informers;
  const { uid = "", namespace = "" } = set.metadata ?? {};
  const claims = claim([...pods.store.byIndex("owner", uid), ...pods.store.byIndex("orphan", namespace)], {
    owner: set,
    matches: (pod) =>
      matchesSelector(set.spec?.selector, pod.metadata?.labels ?? {}) && ordinalOf(set, pod) !== undefined,
  });
  for (const pod of claims.adopt) await adopt(context, { resource, owner: set }, pods, pod);
  for (const pod of claims.release) await release(context, set, pods, pod);
  return claims.claimed.map((pod) => pods.store.get(textOf(pod)) ?? pod);
}

async function createClaim(
  { client, informers }: ControllerContext,
  {
    set,
    claim: wanted,
    pod,
    recorder,
  }: {
    readonly set: StatefulSet;
    readonly claim: PersistentVolumeClaim;
    readonly pod: Pod;
    readonly recorder: EventRecorder;
  },
): Promise<void> {
  const text = `create Claim ${wanted.metadata?.name} Pod ${pod.metadata?.name} in StatefulSet ${set.metadata?.name}`;
  const about = referenceTo(resource, set);
  try {
    informers.persistentVolumeClaims.observe(await client.create(resources.persistentVolumeClaims, wanted));
    recorder.event(about, { type: "Normal", reason: "SuccessfulCreate", message: `${text} success` });
  } catch (error) {
    if (isAlreadyExists(error)) return;
    const message = `${text} failed error: ${error instanceof Error ? error.message : String(error)}`;
    recorder.event(about, { type: "Warning", reason: "FailedCreate", message });
    throw error;
  }
}

/** Gives the claims the owners with which they are to go. */
async function keepClaims(
  { client, informers }: ControllerContext,
  set: StatefulSet,
  { kept, condemned }: { readonly kept: readonly Replica[]; readonly condemned: readonly Replica[] },
): Promise<void> {
  const { persistentVolumeClaims } = informers;
  for (const { ordinal, pod } of [...kept, ...condemned]) {
    const leaving = condemned.some((replica) => replica.pod === pod) ? pod : undefined;
    for (const wanted of claimsOf(set, ordinal)) {
      const present = persistentVolumeClaims.store.get(keyText(keyOf(wanted)));
      if (present === undefined) continue;
      const owned = withOwners(set, present, { pod: leaving });
      if (owned === present) continue;
      persistentVolumeClaims.observe(await client.update(resources.persistentVolumeClaims, owned));
    }
  }
}
