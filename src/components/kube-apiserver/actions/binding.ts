/** `binding`: the scheduler's decision, taken once per pod. */
import type { Binding, Pod } from "../../../api/generated/types.ts";
import { conflict, invalid } from "../../../api/status.ts";
import { topologyOf } from "../admission/pod-topology-labels.ts";
import { timestampOf } from "../resources/create.ts";
import { overwriteObject } from "../resources/overwrite.ts";
import { done } from "./action.ts";
import type { Action } from "./action.ts";

const resourceName = { group: "", name: "pods/binding" };

export const bindingAction: Action = {
  create: async ({ resource, key, context }, body) => {
    const { target, metadata } = body as Binding;
    const nodeName = target.name ?? "";
    if (nodeName === "") {
      throw invalid({ group: "", name: "Binding" }, key.name, [
        { type: "FieldValueRequired", field: "target.name", body: "Required value" },
      ]);
    }
    await overwriteObject(resource, key, {
      isDryRun: context.isDryRun,
      change: (old) => {
        const pod: Pod = old;
        const { uid } = metadata ?? {};
        if (uid !== undefined && uid !== "" && uid !== pod.metadata?.uid) {
          const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata?.uid ?? ""}`;
          throw conflict({ group: "", name: "pods" }, key.name, why);
        }
        if (pod.metadata?.deletionTimestamp !== undefined) {
          throw conflict(resourceName, key.name, `pod ${key.name} is being deleted, cannot be assigned to a host`);
        }
        if ((pod.spec?.nodeName ?? "") !== "") {
          const why = `pod ${key.name} is already assigned to node "${pod.spec?.nodeName}"`;
          throw conflict(resourceName, key.name, why);
        }
        if ((pod.spec?.schedulingGates ?? []).length > 0) {
          throw conflict(resourceName, key.name, `pod ${key.name} has non-empty .spec.schedulingGates`);
        }
        const { store, clock } = resource.environment;
        // The labels of a binding are the pod's, too, and the node's place counts before both.
        const labels = { ...metadata?.labels, ...topologyOf(store, nodeName) };
        return bound(pod, { nodeName, annotations: metadata?.annotations, labels, now: clock.now() });
      },
    });
    return done();
  },
};

function bound(
  pod: Pod,
  options: {
    readonly nodeName: string;
    readonly annotations: Readonly<Record<string, string>> | undefined;
    readonly labels: Readonly<Record<string, string>>;
    readonly now: number;
  },
): Pod {
  const scheduled = { type: "PodScheduled", status: "True", lastTransitionTime: timestampOf(options.now) };
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== "PodScheduled");
  const annotations = { ...pod.metadata?.annotations, ...options.annotations };
  const labels = { ...pod.metadata?.labels, ...options.labels };
  const { nominatedNodeName: _hint, ...status } = pod.status ?? {};
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    spec: { ...pod.spec, containers: pod.spec?.containers ?? [], nodeName: options.nodeName },
    status: { ...status, conditions: [...others, scheduled] },
  };
}
