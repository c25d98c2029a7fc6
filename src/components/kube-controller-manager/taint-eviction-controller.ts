/** Deletes pods from nodes with a `NoExecute` taint, when what they tolerate is over. */
import { keyOf } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import type { Pod } from "../../api/generated/types.ts";
import { referenceTo } from "../../machinery/events/index.ts";
import { evictionTimeMs } from "../../model/taints/index.ts";
import { isPodTerminal } from "../../model/workload/index.ts";
import { whereItStillIs } from "./answers.ts";
import type { CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";
import { ownKey, textOf } from "./keys.ts";

export const createTaintEvictionController: CreateController = (context) => {
  const { client, clock, informers } = context;
  const { nodes, pods } = informers;
  const recorder = context.recorder("taint-eviction-controller");

  const evict = async (pod: Pod): Promise<void> => {
    const key = keyOf(pod);
    const condition = {
      type: "DisruptionTarget",
      status: "True",
      reason: "DeletionByTaintManager",
      message: "Taint manager: deleting due to NoExecute taint",
      lastTransitionTime: new Date(clock.now()).toISOString().replace(/\.\d+Z$/, "Z"),
    };
    recorder.event(referenceTo(resources.pods, pod), {
      type: "Normal",
      reason: "TaintManagerEviction",
      message: `Marking for deletion Pod ${textOf(pod)}`,
    });
    const uid = pod.metadata?.uid;
    const body = { metadata: { uid }, status: { conditions: [condition] } };
    const isThere = await whereItStillIs(
      client.patch(resources.pods, key, { type: "strategic", body }, { subresource: "status" }),
    );
    if (!isThere) return;
    await whereItStillIs(client.delete(resources.pods, key, uid === undefined ? {} : { preconditions: { uid } }));
  };

  const reconciler = reconcilerOf(context, {
    name: "taint-eviction",
    waitFor: [nodes, pods],
    concurrency: 5,
    reconcile: async (name) => {
      const taints = (nodes.store.get(name)?.spec?.taints ?? []).filter(({ effect }) => effect === "NoExecute");
      if (taints.length === 0) return undefined;
      const now = clock.now();
      let next = Infinity;
      for (const pod of pods.store.byIndex("node", name)) {
        if (isPodTerminal(pod) || pod.metadata?.deletionTimestamp !== undefined) continue;
        const time = evictionTimeMs(pod, taints);
        if (time === undefined) continue;
        if (time <= now) await evict(pod);
        else next = Math.min(next, time);
      }
      return next === Infinity ? undefined : { requeueAfterMs: next - now };
    },
  });
  reconciler.on(nodes, ownKey);
  reconciler.on(pods, ({ current }) => (current?.spec?.nodeName === undefined ? [] : [current.spec.nodeName]));
  return reconciler;
};
