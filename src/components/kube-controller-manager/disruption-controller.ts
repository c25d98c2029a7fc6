/** Keeps the status of disruption budgets: how many of their pods may be evicted now. */
import { own } from "../../lib/own/index.ts";
import { keyOf } from "../../api/object.ts";
import type { KubernetesObject } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import type { Pod, PodDisruptionBudget } from "../../api/generated/types.ts";
import { isJsonEqual } from "../../lib/equal/index.ts";
import { matchesSelector } from "../../lib/labels/index.ts";
import type { Informer } from "../../machinery/informer/index.ts";
import { planBudget } from "../../model/disruption/index.ts";
import { controllerOf } from "../../model/workload/index.ts";
import { whereItStillIs } from "./answers.ts";
import type { ControllerContext, CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";
import { resourceId } from "./informers.ts";
import { ownKey, textOf, versions } from "./keys.ts";

export const createDisruptionController: CreateController = (context) => {
  const { client, clock, informers } = context;
  const { pods, replicaSets, budgets } = informers;
  const reconciler = reconcilerOf(context, {
    name: "disruption",
    waitFor: [budgets, pods, replicaSets],
    reconcile: async (key) => {
      const budget = budgets.store.get(key);
      if (budget === undefined || budget.metadata?.deletionTimestamp !== undefined) return undefined;
      const matching = pods.store
        .byIndex("namespace", budget.metadata?.namespace ?? "")
        .filter((pod) => isFor(budget, pod));
      const expectedByOwners = expectedPods(context, matching);
      const plan = planBudget({ budget, pods: matching, expectedByOwners, now: clock.now() });
      if (!isJsonEqual(plan.status, budget.status)) {
        const next = { ...budget, status: plan.status };
        const write = client.update(resources.podDisruptionBudgets, next, { subresource: "status" });
        // Charged by an eviction meanwhile: its event brings us back.
        if (await whereItStillIs(write)) budgets.observe(await write);
      }
      return plan.lookAgainAfterMs === undefined ? undefined : { requeueAfterMs: plan.lookAgainAfterMs };
    },
  });
  const budgetsOf = (pod: Pod): readonly string[] =>
    budgets.store
      .byIndex("namespace", pod.metadata?.namespace ?? "")
      .filter((budget) => isFor(budget, pod))
      .map(textOf);
  reconciler.on(budgets, ownKey);
  reconciler.on(pods, (change) => versions(change).flatMap(budgetsOf));
  const ofNamespace = ({ metadata }: KubernetesObject): readonly string[] =>
    budgets.store.byIndex("namespace", metadata?.namespace ?? "").map(textOf);
  reconciler.on(informers.deployments, (change) => versions(change).flatMap(ofNamespace));
  reconciler.on(replicaSets, (change) => versions(change).flatMap(ofNamespace));
  const statefulSets = informers.byResource.get(resourceId(resources.statefulSets));
  if (statefulSets !== undefined) reconciler.on(statefulSets, (change) => versions(change).flatMap(ofNamespace));
  return reconciler;
};

function isFor({ spec }: PodDisruptionBudget, { metadata }: Pod): boolean {
  return spec?.selector !== undefined && matchesSelector(spec.selector, metadata?.labels ?? {});
}

interface Scaled extends KubernetesObject {
  readonly spec?: { readonly replicas?: number };
}

/** The wanted replicas of all topmost owners; undefined where a pod has none that has a scale. */
function expectedPods({ informers }: ControllerContext, pods: readonly Pod[]): number | undefined {
  const found = new Map<string, number>();
  for (const pod of pods) {
    const owner = topOwner(informers, pod);
    if (owner?.spec?.replicas === undefined) return undefined;
    found.set(owner.metadata?.uid ?? textOf(owner), owner.spec.replicas);
  }
  return [...found.values()].reduce((total, replicas) => total + replicas, 0);
}

const scalable: Readonly<Record<string, string>> = {
  ReplicaSet: "replicasets.apps",
  Deployment: "deployments.apps",
  StatefulSet: "statefulsets.apps",
  ReplicationController: "replicationcontrollers",
};

function topOwner(informers: ControllerContext["informers"], object: KubernetesObject): Scaled | undefined {
  const reference = controllerOf(object);
  const resource = reference === undefined ? undefined : own(scalable, reference.kind);
  if (reference === undefined || resource === undefined) return undefined;
  const informer: Informer<Scaled> | undefined = informers.byResource.get(resource);
  const { namespace } = keyOf(object);
  const owner = informer?.store.get(`${namespace ?? ""}/${reference.name}`);
  if (owner === undefined || owner.metadata?.uid !== reference.uid) return undefined;
  return topOwner(informers, owner) ?? owner;
}
