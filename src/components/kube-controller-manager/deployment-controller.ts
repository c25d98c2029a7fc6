/** Rolls out Deployments through ReplicaSets. */
import { keyOf } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import type { Deployment, Pod, ReplicaSet } from "../../api/generated/types.ts";
import { matchesSelector } from "../../lib/labels/index.ts";
import { referenceTo } from "../../machinery/events/index.ts";
import type { EventRecorder } from "../../machinery/events/index.ts";
import type { Change } from "../../machinery/informer/index.ts";
import { planDeployment, templateText } from "../../model/deployment/index.ts";
import type { DeploymentPlan } from "../../model/deployment/index.ts";
import { claim, controllerOf, isPodTerminal, isSame } from "../../model/workload/index.ts";
import { adopt, release } from "./adoption.ts";
import { isAlreadyExists, isNamespaceTerminating, whereItStillIs } from "./answers.ts";
import type { ControllerContext, CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";
import { ownKey, textOf, versions } from "./keys.ts";

const revisionAnnotation = "deployment.kubernetes.io/revision";

export const createDeploymentController: CreateController = (context) => {
  const { clock, informers } = context;
  const { deployments, replicaSets, pods } = informers;
  const recorder = context.recorder("deployment-controller");
  const reconciler = reconcilerOf(context, {
    name: "deployment",
    waitFor: [deployments, replicaSets, pods],
    concurrency: 5,
    reconcile: async (key) => {
      const deployment = deployments.store.get(key);
      if (deployment === undefined) return undefined;
      if (selectsEverything(deployment)) {
        recorder.event(referenceTo(resources.deployments, deployment), {
          type: "Warning",
          reason: "SelectingAll",
          message: "This deployment is selecting all pods. A non-empty selector is required.",
        });
        return undefined;
      }
      const claimed = await claimReplicaSets(context, deployment);
      const plan = planDeployment({
        deployment,
        replicaSets: claimed,
        runningPods: ({ metadata }) => pods.store.byIndex("owner", metadata?.uid ?? "").filter(isRunning).length,
        now: clock.now(),
      });
      await apply(context, { deployment, plan, recorder });
      return plan.lookAgainAfterMs === undefined ? undefined : { requeueAfterMs: plan.lookAgainAfterMs };
    },
  });
  reconciler.on(deployments, ownKey);
  reconciler.on(replicaSets, (change) => deploymentsOf(context, change));
  // Recreate waits for the last old pod to be gone.
  reconciler.on(pods, ({ current, previous }) =>
    current === undefined && previous !== undefined ? deploymentOfPod(context, previous) : [],
  );
  return reconciler;
};

function selectsEverything({ spec }: Deployment): boolean {
  const { matchLabels = {}, matchExpressions = [] } = spec?.selector ?? {};
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
}

/** Also one that is being deleted runs until it is gone. */
function isRunning(pod: Pod): boolean {
  return !isPodTerminal(pod);
}

async function claimReplicaSets(context: ControllerContext, deployment: Deployment): Promise<readonly ReplicaSet[]> {
  const { replicaSets } = context.informers;
  const { uid = "", namespace = "" } = deployment.metadata ?? {};
  const claims = claim(
    [...replicaSets.store.byIndex("owner", uid), ...replicaSets.store.byIndex("orphan", namespace)],
    {
      owner: deployment,
      matches: ({ metadata }) => matchesSelector(deployment.spec?.selector, metadata?.labels ?? {}),
    },
  );
  const owner = { resource: resources.deployments, owner: deployment };
  for (const replicaSet of claims.adopt) await adopt(context, owner, replicaSets, replicaSet);
  for (const replicaSet of claims.release) await release(context, deployment, replicaSets, replicaSet);
  if (claims.adopt.length === 0) return claims.claimed;
  // As they are after their adoption.
  return claims.claimed.map((replicaSet) => replicaSets.store.get(textOf(replicaSet)) ?? replicaSet);
}

async function apply(
  context: ControllerContext,
  {
    deployment,
    plan,
    recorder,
  }: {
    readonly deployment: Deployment;
    readonly plan: DeploymentPlan;
    readonly recorder: EventRecorder;
  },
): Promise<void> {
  const { client, informers } = context;
  const { deployments, replicaSets } = informers;
  const about = referenceTo(resources.deployments, deployment);
  if (plan.create !== undefined && !(await create(context, { deployment, replicaSet: plan.create }))) return;
  for (const replicaSet of plan.update) {
    replicaSets.observe(await client.update(resources.replicaSets, replicaSet));
  }
  for (const event of plan.events) recorder.event(about, { type: "Normal", ...event });
  for (const { metadata } of plan.remove) {
    const { name = "", namespace = "", uid } = metadata ?? {};
    const preconditions = uid === undefined ? {} : { preconditions: { uid } };
    await whereItStillIs(client.delete(resources.replicaSets, { namespace, name }, preconditions));
  }
  let written = deployment;
  if (plan.revision !== undefined) {
    const annotations = { ...deployment.metadata?.annotations, [revisionAnnotation]: String(plan.revision) };
    const metadata = { ...deployment.metadata, annotations };
    written = await client.update(resources.deployments, { ...deployment, metadata });
    deployments.observe(written);
  }
  if (isSame(plan.status, deployment.status)) return;
  deployments.observe(
    await client.update(resources.deployments, { ...written, status: plan.status }, { subresource: "status" }),
  );
}

/** False where another ReplicaSet has the name: the collision is counted and the next hash tried. */
async function create(
  { client, informers }: ControllerContext,
  { deployment, replicaSet }: { readonly deployment: Deployment; readonly replicaSet: ReplicaSet },
): Promise<boolean> {
  try {
    informers.replicaSets.observe(await client.create(resources.replicaSets, replicaSet));
    return true;
  } catch (error) {
    if (isNamespaceTerminating(error)) return false;
    if (!isAlreadyExists(error)) throw error;
  }
  const present = await client.get(resources.replicaSets, keyOf(replicaSet));
  const isOwn = controllerOf(present)?.uid === deployment.metadata?.uid;
  if (isOwn && templateText(present) === templateText(replicaSet)) {
    informers.replicaSets.observe(present);
    return true;
  }
  const status = { ...deployment.status, collisionCount: (deployment.status?.collisionCount ?? 0) + 1 };
  const written = await client.update(resources.deployments, { ...deployment, status }, { subresource: "status" });
  informers.deployments.observe(written);
  return false;
}

function deploymentsOf({ informers }: ControllerContext, change: Change<ReplicaSet>): readonly string[] {
  const keys = new Set<string>();
  for (const replicaSet of versions(change)) {
    const namespace = replicaSet.metadata?.namespace ?? "";
    const controller = controllerOf(replicaSet);
    if (controller?.kind === "Deployment") keys.add(`${namespace}/${controller.name}`);
    if (controller !== undefined || replicaSet !== change.current) continue;
    for (const deployment of informers.deployments.store.byIndex("namespace", namespace)) {
      if (matchesSelector(deployment.spec?.selector, replicaSet.metadata?.labels ?? {})) keys.add(textOf(deployment));
    }
  }
  return [...keys];
}

function deploymentOfPod({ informers }: ControllerContext, pod: Pod): readonly string[] {
  const namespace = pod.metadata?.namespace ?? "";
  const controller = controllerOf(pod);
  if (controller?.kind !== "ReplicaSet") return [];
  const replicaSet = informers.replicaSets.store.get(`${namespace}/${controller.name}`);
  const owner = replicaSet === undefined ? undefined : controllerOf(replicaSet);
  return owner?.kind === "Deployment" ? [`${namespace}/${owner.name}`] : [];
}
