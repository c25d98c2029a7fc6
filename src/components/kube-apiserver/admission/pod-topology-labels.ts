/** A pod carries the zone and region of its node. */
import type { Pod } from "../../../api/generated/types.ts";
import type { ObjectStore } from "../../../storage/index.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { isNewOf } from "./new-object.ts";

const topologyLabels = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"] as const;

/** For pods that are made for a node; those that are bound get theirs with the binding. */
export function podTopologyLabels(store: ObjectStore): AdmissionPlugin {
  return {
    name: "PodTopologyLabels",
    mutate: (request, object) => {
      if (!isNewOf(request, { group: "", plural: "pods" })) return object;
      const added = topologyOf(store, (object as Pod).spec?.nodeName ?? "");
      if (Object.keys(added).length === 0) return object;
      return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata?.labels, ...added } } };
    },
  };
}

/** The labels of a node that its pods get; none where the node is not there. */
export function topologyOf(store: ObjectStore, nodeName: string): Readonly<Record<string, string>> {
  if (nodeName === "") return {};
  const node = store.get({ resource: "nodes", namespace: "", name: nodeName })?.object;
  const labels = node?.metadata?.labels ?? {};
  return Object.fromEntries(
    topologyLabels.flatMap((name) => {
      const value = labels[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
