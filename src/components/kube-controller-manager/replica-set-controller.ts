/** Keeps as many pods as each ReplicaSet or ReplicationController asks for: the same work under two names. */
import type { KubernetesObject } from "../../api/object.ts";
import type { Informer } from "../../machinery/informer/index.ts";
import { resources } from "../../api/resources.ts";
import type { Pod, ReplicaSet, ReplicaSetStatus, ReplicationController } from "../../api/generated/types.ts";
import { referenceTo } from "../../machinery/events/index.ts";
import { planReplicaSet, replicaSetStatus } from "../../model/replica-set/index.ts";
import type { Failure } from "../../model/replica-set/index.ts";
import { controllerOf, isPodActive, isSame, podFromTemplate } from "../../model/workload/index.ts";
import { adopt, release } from "./adoption.ts";
import { isNamespaceTerminating, isNotFound } from "./answers.ts";
import type { ControllerContext, CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";
import type { Reconciler } from "../../machinery/reconcile/index.ts";
import { ownKey } from "./keys.ts";
import { ownersOf } from "./pod-owners.ts";
import { slowStart } from "./slow-start.ts";

/** A kind that keeps a number of pods. */
interface Kind<T extends KubernetesObject> {
  /** Of the reconciler: "replicaset". */
  readonly name: string;
  readonly informer: Informer<T, "namespace">;
  /** The object as a ReplicaSet. */
  readonly view: (object: T) => ReplicaSet;
  readonly withStatus: (object: T, status: ReplicaSetStatus) => T;
}

export const createReplicaSetController: CreateController = (context) =>
  createReplicaController(context, {
    name: "replicaset",
    informer: context.informers.replicaSets,
    view: (replicaSet) => replicaSet,
    withStatus: (replicaSet, status) => ({ ...replicaSet, status }),
  });

export const createReplicationController: CreateController = (context) =>
  createReplicaController<ReplicationController>(context, {
    name: "replicationcontroller",
    informer: context.informers.replicationControllers,
    view: ({ metadata, spec, status }) => ({
      ...(metadata === undefined ? {} : { metadata }),
      spec: { ...spec, selector: { matchLabels: spec?.selector ?? {} } },
      ...(status === undefined ? {} : { status }),
    }),
    withStatus: (controller, status) => ({ ...controller, status }),
  });

function createReplicaController<T extends KubernetesObject>(
  context: ControllerContext,
  { name: kindName, informer, view, withStatus }: Kind<T>,
): Reconciler {
  const { client, clock, informers } = context;
  const { pods } = informers;
  const { resource } = informer;
  const recorder = context.recorder(`${kindName === "replicaset" ? kindName : "replication"}-controller`);
  /** Uids of pods whose deletion was asked for and not seen yet. */
  const deleting = new Set<string>();

  const create = async (replicaSet: ReplicaSet, count: number): Promise<Failure | undefined> => {
    const template = podFromTemplate(replicaSet.spec?.template, { resource, owner: replicaSet });
    const about = referenceTo(resource, replicaSet);
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
    const about = referenceTo(resource, replicaSet);
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
    const object = informer.store.get(key);
    if (object === undefined) return undefined;
    const replicaSet = view(object);
    const now = clock.now();
    const own = pods.store.byIndex("owner", replicaSet.metadata?.uid ?? "");
    const orphans = pods.store.byIndex("orphan", replicaSet.metadata?.namespace ?? "");
    const neighbours = countNeighbours(context, replicaSet);
    const plan = planReplicaSet({ replicaSet, pods: [...own, ...orphans], deleting, neighbours, now });
    for (const pod of plan.adopt) await adopt(context, { resource, owner: replicaSet }, pods, pod);
    for (const pod of plan.release) await release(context, replicaSet, pods, pod);
    const failures = [
      plan.create > 0 ? await create(replicaSet, plan.create) : undefined,
      ...(await Promise.all(plan.remove.map((pod) => remove(replicaSet, pod)))),
    ];
    const failure = failures.find((candidate) => candidate !== undefined);
    const isSettled = plan.create === 0 && plan.remove.length === 0;
    // While pods come and go their events bring us back here at once: the numbers are written when they hold.
    if (isSettled || failure !== undefined) {
      const status = replicaSetStatus(replicaSet, { active: plan.active, now, failure });
      if (!isSame(status, replicaSet.status)) {
        informer.observe(await client.update(resource, withStatus(object, status), { subresource: "status" }));
      }
    }
    if (failure !== undefined) throw new Error(`Cannot reach the replicas of ${key}: ${failure.message}`);
    return plan.lookAgainAfterMs === undefined ? undefined : { requeueAfterMs: plan.lookAgainAfterMs };
  };

  const reconciler = reconcilerOf(context, {
    name: kindName,
    waitFor: [pods, informer],
    concurrency: 5,
    reconcile,
  });
  reconciler.on(informer, ownKey);
  pods.onChange(({ current, previous }) => {
    const uid = previous?.metadata?.uid ?? "";
    if (current === undefined || current.metadata?.deletionTimestamp !== undefined) deleting.delete(uid);
  });
  reconciler.on(pods, (change) => ownersOf(informer, change, (object) => view(object).spec?.selector));
  return reconciler;
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
