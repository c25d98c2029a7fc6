/** Deletes pods that nobody else will: of nodes that are gone, and ended ones beyond a number. */
import { keyOf } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import type { Pod } from "../../api/generated/types.ts";
import { isPodTerminal } from "../../model/workload/index.ts";
import { isNotFound, whereItStillIs } from "./answers.ts";
import type { ControllerContext, CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";

export const createPodGarbageCollector: CreateController = (context) => {
  const { clock, config, informers } = context;
  const { nodes, pods } = informers;
  /** Since when a node that pods name is missing. */
  const missingSince = new Map<string, number>();
  const reconciler = reconcilerOf(context, {
    name: "pod-garbage-collector",
    waitFor: [nodes, pods],
    reconcile: async () => {
      const all = pods.store.list();
      for (const pod of beyondThreshold(all, config.terminatedPodThreshold)) await removeForGood(context, pod);
      for (const pod of all) {
        const isLeaving = pod.metadata?.deletionTimestamp !== undefined;
        // No kubelet will ever confirm its end.
        if (isLeaving && (pod.spec?.nodeName ?? "") === "") await removeForGood(context, pod);
      }
      await removeOrphans(context, { all, missingSince, now: clock.now() });
      return { requeueAfterMs: config.podGarbageCollectionPeriodMs };
    },
  });
  reconciler.enqueue("all");
  return reconciler;
};

function age({ metadata }: Pod): string {
  return metadata?.creationTimestamp ?? "";
}

function beyondThreshold(pods: readonly Pod[], threshold: number): readonly Pod[] {
  const ended = pods.filter((pod) => isPodTerminal(pod) && pod.metadata?.deletionTimestamp === undefined);
  if (ended.length <= threshold) return [];
  return ended.toSorted((a, b) => (age(a) < age(b) ? -1 : 1)).slice(0, ended.length - threshold);
}

async function removeOrphans(
  context: ControllerContext,
  {
    all,
    missingSince,
    now,
  }: {
    readonly all: readonly Pod[];
    readonly missingSince: Map<string, number>;
    readonly now: number;
  },
): Promise<void> {
  const { client, config, informers } = context;
  const named = new Set(all.map(({ spec }) => spec?.nodeName ?? "").filter((name) => name !== ""));
  for (const name of missingSince.keys()) {
    if (!named.has(name) || informers.nodes.store.get(name) !== undefined) missingSince.delete(name);
  }
  for (const name of named) {
    if (informers.nodes.store.get(name) !== undefined) continue;
    const since = missingSince.get(name) ?? now;
    missingSince.set(name, since);
    if (now - since < config.orphanedPodQuarantineMs) continue;
    try {
      await client.get(resources.nodes, { name });
      continue;
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    for (const pod of informers.pods.store.byIndex("node", name)) await failAndRemove(context, pod);
  }
}

async function failAndRemove(context: ControllerContext, pod: Pod): Promise<void> {
  if (!isPodTerminal(pod)) {
    const condition = {
      type: "DisruptionTarget",
      status: "True",
      reason: "DeletionByPodGC",
      message: "PodGC: node no longer exists",
      lastTransitionTime: new Date(context.clock.now()).toISOString().replace(/\.\d+Z$/, "Z"),
    };
    const body = { metadata: { uid: pod.metadata?.uid }, status: { phase: "Failed", conditions: [condition] } };
    await whereItStillIs(
      context.client.patch(resources.pods, keyOf(pod), { type: "strategic", body }, { subresource: "status" }),
    );
  }
  await removeForGood(context, pod);
}

async function removeForGood({ client }: ControllerContext, pod: Pod): Promise<void> {
  const uid = pod.metadata?.uid;
  const preconditions = uid === undefined ? {} : { preconditions: { uid } };
  await whereItStillIs(client.delete(resources.pods, keyOf(pod), { gracePeriodSeconds: 0, ...preconditions }));
}
