/** `eviction`: a deletion that disruption budgets may refuse. */
import type { Eviction, Pod, PodDisruptionBudget } from "../../../api/generated/types.ts";
import { badRequest, forbidden, internalError, tooManyRequests } from "../../../api/status.ts";
import { matchesSelector } from "../../../lib/labels/index.ts";
import { evictionVerdict } from "../../../model/disruption/index.ts";
import type { ObjectStore, Stored } from "../../../storage/index.ts";
import { timestampOf } from "../resources/create.ts";
import { checkDeleteOptions, deleteObject } from "../resources/delete.ts";
import { overwriteObject } from "../resources/overwrite.ts";
import { storeKeyOf } from "../resources/resource.ts";
import { done } from "./action.ts";
import type { Action, ActionCall } from "./action.ts";

const budgets = "poddisruptionbudgets.policy";

export const evictionAction: Action = {
  create: async (call, body) => {
    const { resource, key, context } = call;
    const { metadata, deleteOptions = {} } = body as Eviction;
    const name = metadata?.name ?? "";
    if (name !== "" && name !== key.name) throw badRequest("name in URL does not match name in Eviction object");
    checkDeleteOptions(deleteOptions);
    const isDryRun = context.isDryRun || deleteOptions.dryRun?.includes("All") === true;
    const options = { key, options: deleteOptions, context: { ...context, isDryRun } };
    const pod: Pod | undefined = resource.environment.store.latest(storeKeyOf(resource, key))?.object;
    if (pod !== undefined && !isFree(pod)) {
      await charge(call, pod, isDryRun);
      await markDisrupted(call, isDryRun);
    }
    await deleteObject(resource, options);
    return done();
  },
};

/** Pods that no budget counts: not started, ended, or going already. */
function isFree({ metadata, status }: Pod): boolean {
  const { phase } = status ?? {};
  if (metadata?.deletionTimestamp !== undefined) return true;
  return phase === "Succeeded" || phase === "Failed" || phase === "Pending" || phase === undefined;
}

/** Takes one disruption from the pod's budget. Throws `ApiError`: 429 where none is left. */
async function charge({ resource, context }: ActionCall, pod: Pod, isDryRun: boolean): Promise<void> {
  const { store, clock } = resource.environment;
  const found = budgetsOf(store, pod);
  const [stored] = found;
  if (stored === undefined) return;
  if (found.length > 1) {
    throw internalError(
      "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    );
  }
  const budget: PodDisruptionBudget = stored.object;
  const verdict = evictionVerdict(pod, budget, { now: clock.now() });
  switch (verdict.type) {
    case "forbidden":
      throw forbidden({ group: "policy", name: "poddisruptionbudget" }, budget.metadata?.name ?? "", verdict.why);
    case "refused": {
      const text = "Cannot evict pod as it would violate the pod's disruption budget.";
      throw tooManyRequests(text, verdict.retryAfterSeconds, [verdict.cause]);
    }
    case "allowed":
      if (verdict.status === undefined || isDryRun || context.isDryRun) return;
      await store.update(stored.key, Object.assign({}, budget, { status: verdict.status }), stored.revision);
  }
}

function budgetsOf(store: ObjectStore, { metadata }: Pod): readonly Stored[] {
  const { namespace = "", labels = {} } = metadata ?? {};
  return store
    .list(budgets, { namespace })
    .items.flatMap(({ key }) => store.latest(key) ?? [])
    .filter(({ object }) => {
      const { selector } = (object as PodDisruptionBudget).spec ?? {};
      // Without a selector, nothing is meant; with an empty one, everything.
      return selector !== undefined && matchesSelector(selector, labels);
    });
}

/** Its owner can then tell an eviction from a failure. */
async function markDisrupted({ resource, key }: ActionCall, isDryRun: boolean): Promise<void> {
  const lastTransitionTime = timestampOf(resource.environment.clock.now());
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "EvictionByEvictionAPI",
    message: "Eviction API: evicting",
    lastTransitionTime,
  };
  await overwriteObject(resource, key, {
    isDryRun,
    change: (old) => {
      const { status } = old as Pod;
      const others = (status?.conditions ?? []).filter(({ type }) => type !== condition.type);
      return Object.assign({}, old, { status: { ...status, conditions: [...others, condition] } });
    },
  });
}
