/** A new node is tainted until its own conditions say that it is ready: nothing is placed on it by mistake. */
import type { Node } from "../../../api/generated/types.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { isNewOf } from "./new-object.ts";

const notReady = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" } as const;

export const taintNodesByCondition: AdmissionPlugin = {
  name: "TaintNodesByCondition",
  mutate: (request, object) => {
    if (!isNewOf(request, { group: "", plural: "nodes" })) return object;
    const node: Node = object;
    const taints = node.spec?.taints ?? [];
    if (taints.some(({ key, effect }) => key === notReady.key && effect === notReady.effect)) return object;
    return Object.assign({}, node, { spec: { ...node.spec, taints: [...taints, notReady] } });
  },
};
