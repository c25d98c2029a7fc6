/** Keeps as many pods as each ReplicaSet asks for. */
import { resources } from "../../api/resources.ts";
import type { Pod, ReplicaSet } from "../../api/generated/types.ts";
import { matchesSelector } from "../../lib/labels/index.ts";
import type { Change } from "../../machinery/informer/index.ts";
import { referenceTo } from "../../machinery/events/index.ts";
import { podFromTemplate, planReplicaSet, replicaSetStatus } from "../../model/replica-set/index.ts";
import type { Failure } from "../../model/replica-set/index.ts";
import { controllerOf, isPodActive, isSame } from "../../model/workload/index.ts";
import { adopt, release } from "./adoption.ts";
import { isNamespaceTerminating, isNotFound } from "./answers.ts";
import type { ControllerContext, CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";
import { ownKey, textOf, versions } from "./keys.ts";
import { slowStart } from "./slow-start.ts";

export const createReplicaSetController: CreateController = (context) => {
  const { client, clock, informers } = context;
  const { pods, replicaSets } = informers;
  const recorder = context.recorder("replicaset-controller");
  /** Uids of pods whose deletion was asked for and not seen yet. */
  const deleting = new Set<string>();

  const create = async (replicaSet: ReplicaSet, count: number): Promise<Failure | undefined> => {
    const template = podFromTemplate(replicaSet);
    const about = referenceTo(resources.replicaSets, replicaSet);
    const failed = await slowStart(count, async () => {
      const pod = await client.create(resources.pods, template);
      pods.observe(pod);
      recorder.event(about, {
        type: "Normal",
        reason: "SuccessfulCreate",
        message: `Created pod: ${pod.metadata?.name}`,
      });
    });
    if (failed === undefined || isNamespaceTerminating(failed)) return undefined;
    const { message } = failed;
    recorder.event(about, { type: "Warning", reason: "FailedCreate", message: `Error creating: ${message}` });
    return { reason: "FailedCreate", message };
  };

  const remove = async (replicaSet: ReplicaSet, pod: Pod): Promise<Failure | undefined> => {
    const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
    const about = referenceTo(resources.replicaSets, replicaSet);
    deleting.add(uid);
    try {
      await client.delete(resources.pods, { namespace, name }, { preconditions: { uid } });
      recorder.event(about, { type: "Normal", reason: "SuccessfulDelete", message: `Deleted pod: ${name}` });
      return undefined;
    } catch (error) {
      deleting.delete(uid);
      if (isNotFound(error)) return undefined;
      const message = error instanceof Error ? error.message : String(error);
      recorder.event(about, { type: "Warning", reason: "FailedDelete", message: `Error deleting: ${message}` });
      return { reason: "FailedDelete", message };
    }
  };

  const reconcile = async (key: string): Promise<{ readonly requeueAfterMs: number } | undefined> => {
    const replicaSet = replicaSets.store.get(key);
    if (replicaSet === undefined) return undefined;
    const now = clock.now();
    const own = pods.store.byIndex("owner", replicaSet.metadata?.uid ?? "");
    const orphans = pods.store.byIndex("orphan", replicaSet.metadata?.namespace ?? "");
    const neighbours = countNeighbours(context, replicaSet);
    const plan = planReplicaSet({ replicaSet, pods: [...own, ...orphans], deleting, neighbours, now });
    for (const pod of plan.adopt)
      await adopt(context, { resource: resources.replicaSets, owner: replicaSet }, pods, pod);
    for (const pod of plan.release) await release(context, replicaSet, pods, pod);
    const failures = [
      plan.create > 0 ? await create(replicaSet, plan.create) : undefined,
      ...(await Promise.all(plan.remove.map((pod) => remove(replicaSet, pod)))),
    ];
    const failure = failures.find((candidate) => candidate !== undefined);
    const isSettled = plan.create === 0 && plan.remove.length === 0;
    // While pods come and go their events bring us back here at once: the numbers are written when they hold.
    if (isSettled || failure !== undefined) {
      await writeStatus(context, replicaSet, { active: plan.active, now, failure });
    }
    if (failure !== undefined) throw new Error(`Cannot reach the replicas of ${key}: ${failure.message}`);
    return plan.lookAgainAfterMs === undefined ? undefined : { requeueAfterMs: plan.lookAgainAfterMs };
  };

  const reconciler = reconcilerOf(context, {
    name: "replicaset",
    waitFor: [pods, replicaSets],
    concurrency: 5,
    reconcile,
  });
  reconciler.on(replicaSets, ownKey);
  pods.onChange(({ current, previous }) => {
    const uid = previous?.metadata?.uid ?? "";
    if (current === undefined || current.metadata?.deletionTimestamp !== undefined) deleting.delete(uid);
  });
  reconciler.on(pods, (change) => replicaSetsOf(context, change));
  return reconciler;
};

/** Those that control the pod, before or now; for one without a controller those that might adopt it. */
function replicaSetsOf({ informers }: ControllerContext, change: Change<Pod>): readonly string[] {
  const keys = new Set<string>();
  for (const pod of versions(change)) {
    const namespace = pod.metadata?.namespace ?? "";
    const controller = controllerOf(pod);
    if (controller?.kind === "ReplicaSet") keys.add(`${namespace}/${controller.name}`);
    if (controller !== undefined || pod !== change.current) continue;
    for (const replicaSet of informers.replicaSets.store.byIndex("namespace", namespace)) {
      if (matchesSelector(replicaSet.spec?.selector, pod.metadata?.labels ?? {})) keys.add(textOf(replicaSet));
    }
  }
  return [...keys];
}

/** Counts the Deployment's active pods on the node of a pod: those of all its ReplicaSets. Counted once, when asked. */
function countNeighbours({ informers }: ControllerContext, replicaSet: ReplicaSet): (pod: Pod) => number {
  let counts: Map<string, number> | undefined;
  const count = (): Map<string, number> => {
    const controller = controllerOf(replicaSet);
    const related =
      controller === undefined ? [replicaSet] : informers.replicaSets.store.byIndex("owner", controller.uid);
    const result = new Map<string, number>();
    for (const { metadata } of related) {
      for (const pod of informers.pods.store.byIndex("owner", metadata?.uid ?? "")) {
        const node = pod.spec?.nodeName ?? "";
        if (isPodActive(pod)) result.set(node, (result.get(node) ?? 0) + 1);
      }
    }
    return result;
  };
  return (pod) => {
    counts ??= count();
    return counts.get(pod.spec?.nodeName ?? "") ?? 0;
  };
}

async function writeStatus(
  { client, informers }: ControllerContext,
  replicaSet: ReplicaSet,
  facts: { readonly active: readonly Pod[]; readonly now: number; readonly failure: Failure | undefined },
): Promise<void> {
  const status = replicaSetStatus(replicaSet, facts);
  if (isSame(status, replicaSet.status)) return;
  const written = await client.update(resources.replicaSets, { ...replicaSet, status }, { subresource: "status" });
  informers.replicaSets.observe(written);
}
