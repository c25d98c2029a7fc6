/** Runs jobs: pods until enough have succeeded or too many failed. */
import { keyOf } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import type { Job, Pod } from "../../api/generated/types.ts";
import { matchesSelector } from "../../lib/labels/index.ts";
import { referenceTo } from "../../machinery/events/index.ts";
import type { Change } from "../../machinery/informer/index.ts";
import { isAbandoned, isJobFinished, isTracked, planJob, trackingFinalizer } from "../../model/job/index.ts";
import { claim, controllerOf, isSame } from "../../model/workload/index.ts";
import { adopt, release } from "./adoption.ts";
import { isNamespaceTerminating, whereItStillIs } from "./answers.ts";
import type { ControllerContext, CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";
import { ownKey, textOf } from "./keys.ts";
import { createPodControl } from "./pod-control.ts";
import { ownersOf } from "./pod-owners.ts";
import { slowStart } from "./slow-start.ts";

/** Before the key of a pod whose job no longer looks after it. */
const abandonedPrefix = "pod:";

export const createJobController: CreateController = (context) => {
  const { client, clock, informers } = context;
  const { jobs, pods } = informers;
  const recorder = context.recorder("job-controller");
  const control = createPodControl(context, { resource: resources.jobs, recorder });

  const reconcileJob = async (key: string): Promise<{ readonly requeueAfterMs: number } | undefined> => {
    const job = jobs.store.get(key);
    if (job === undefined || isJobFinished(job) || job.spec?.managedBy !== undefined) return undefined;
    const own = await claimPods(context, job);
    const plan = planJob({ job, pods: own, deleting: control.deleting, now: clock.now() });
    await Promise.all(plan.remove.map((pod) => control.remove(job, pod)));
    const waiting = [...plan.create];
    const failed = await slowStart(waiting.length, async () => {
      const pod = waiting.shift();
      if (pod !== undefined) await control.create(job, pod);
    });
    if (failed !== undefined && !isNamespaceTerminating(failed)) throw failed;
    if (!isSame(plan.status, job.status)) {
      jobs.observe(await client.update(resources.jobs, { ...job, status: plan.status }, { subresource: "status" }));
    }
    for (const event of plan.events) recorder.event(referenceTo(resources.jobs, job), event);
    await Promise.all(plan.untrack.map((pod) => untrack(context, pod)));
    return plan.lookAgainAfterMs === undefined ? undefined : { requeueAfterMs: plan.lookAgainAfterMs };
  };

  const reconcilePod = async (key: string): Promise<void> => {
    const pod = pods.store.get(key);
    if (pod !== undefined && isAbandoned(pod, jobOf(context, pod))) await untrack(context, pod);
  };

  const reconciler = reconcilerOf(context, {
    name: "job",
    waitFor: [jobs, pods],
    concurrency: 5,
    reconcile: async (key) => {
      if (!key.startsWith(abandonedPrefix)) return await reconcileJob(key);
      await reconcilePod(key.slice(abandonedPrefix.length));
    },
  });
  reconciler.on(jobs, (change) => [
    ...ownKey(change),
    ...pods.store
      .byIndex("owner", (change.current ?? change.previous)?.metadata?.uid ?? "")
      .filter((pod) => isAbandoned(pod, change.current))
      .map((pod) => abandonedPrefix + textOf(pod)),
  ]);
  reconciler.on(pods, (change) => keysOfPod(context, change));
  return reconciler;
};

function keysOfPod(context: ControllerContext, change: Change<Pod>): readonly string[] {
  const keys = ownersOf(context.informers.jobs, change);
  const { current } = change;
  if (current === undefined || !isTracked(current)) return keys;
  const controller = controllerOf(current);
  // Let go by a controller that left it without its job, as `kubectl delete --cascade=orphan` does.
  const isLetGo = controller === undefined && change.previous !== undefined;
  const isOurs = controller?.kind === "Job" && isAbandoned(current, jobOf(context, current));
  return isLetGo || isOurs ? [...keys, abandonedPrefix + change.key] : keys;
}

/** The job that controls the pod; undefined where it is gone, also where another has its name. */
function jobOf({ informers }: ControllerContext, pod: Pod): Job | undefined {
  const controller = controllerOf(pod);
  if (controller?.kind !== "Job") return undefined;
  const job = informers.jobs.store.get(`${pod.metadata?.namespace ?? ""}/${controller.name}`);
  return job?.metadata?.uid === controller.uid ? job : undefined;
}

async function claimPods(context: ControllerContext, job: Job): Promise<readonly Pod[]> {
  const { pods } = context.informers;
  const { uid = "", namespace = "" } = job.metadata ?? {};
  const claims = claim([...pods.store.byIndex("owner", uid), ...pods.store.byIndex("orphan", namespace)], {
    owner: job,
    matches: ({ metadata }) => matchesSelector(job.spec?.selector, metadata?.labels ?? {}),
  });
  for (const pod of claims.adopt) await adopt(context, { resource: resources.jobs, owner: job }, pods, pod);
  for (const pod of claims.release) await release(context, job, pods, pod);
  return claims.claimed.map((pod) => pods.store.get(textOf(pod)) ?? pod);
}

/** Lets the pod go: it is counted. */
async function untrack({ client, informers }: ControllerContext, pod: Pod): Promise<void> {
  const { uid, resourceVersion, finalizers = [] } = pod.metadata ?? {};
  const body = {
    metadata: { uid, resourceVersion, finalizers: finalizers.filter((finalizer) => finalizer !== trackingFinalizer) },
  };
  const write = client.patch(resources.pods, keyOf(pod), { type: "merge", body });
  if ((await whereItStillIs(write)) && pod.metadata?.deletionTimestamp === undefined)
    informers.pods.observe(await write);
}
