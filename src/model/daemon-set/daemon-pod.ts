/** The pod of a DaemonSet on one node, and whether it belongs there. */
import type { DaemonSet, Node, NodeSelector, Pod, Toleration } from "../../api/generated/types.ts";
import { resources } from "../../api/resources.ts";
import { revisionHashLabel } from "../controller-revision/index.ts";
import { nodeAffinity, nodeState } from "../scheduling/index.ts";
import { untoleratedTaint } from "../taints/index.ts";
import { podFromTemplate } from "../workload/index.ts";

/** A daemon stays through everything that drives other pods off. */
const tolerations: readonly Toleration[] = [
  { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute" },
  { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute" },
  { key: "node.kubernetes.io/disk-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/memory-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/pid-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/unschedulable", operator: "Exists", effect: "NoSchedule" },
];
const networkToleration: Toleration = {
  key: "node.kubernetes.io/network-unavailable",
  operator: "Exists",
  effect: "NoSchedule",
};

/** The pod to create. The scheduler binds it: its affinity leaves only the one node. */
export function daemonPod(set: DaemonSet, { node, hash }: { readonly node: string; readonly hash: string }): Pod {
  const pod = podFromTemplate(set.spec?.template, { resource: resources.daemonSets, owner: set });
  const spec = pod.spec ?? { containers: [] };
  const required = onlyOn(node, spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution);
  return {
    metadata: { ...pod.metadata, labels: { ...pod.metadata?.labels, [revisionHashLabel]: hash } },
    spec: {
      ...spec,
      affinity: {
        ...spec.affinity,
        nodeAffinity: {
          ...spec.affinity?.nodeAffinity,
          requiredDuringSchedulingIgnoredDuringExecution: required,
        },
      },
      tolerations: withDefaults(spec.tolerations ?? [], spec.hostNetwork === true),
    },
  };
}

/** Terms are alternatives, so each gets the node's name. */
function onlyOn(node: string, required: NodeSelector | undefined): NodeSelector {
  const matchFields = [{ key: "metadata.name", operator: "In", values: [node] }];
  const terms = required?.nodeSelectorTerms ?? [{}];
  return { nodeSelectorTerms: terms.map((term) => ({ ...term, matchFields })) };
}

function withDefaults(own: readonly Toleration[], usesHostNetwork: boolean): readonly Toleration[] {
  const wanted = usesHostNetwork ? [...tolerations, networkToleration] : tolerations;
  const isThere = ({ key, effect }: Toleration): boolean =>
    own.some((known) => known.key === key && known.effect === effect && known.operator === "Exists");
  return [...own, ...wanted.filter((toleration) => !isThere(toleration))];
}

/** The node to which a pod of a DaemonSet belongs, before and after the scheduler has bound it. */
export function nodeNameOf({ spec }: Pod): string | undefined {
  if ((spec?.nodeName ?? "") !== "") return spec?.nodeName;
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  for (const { matchFields = [] } of required?.nodeSelectorTerms ?? []) {
    const field = matchFields.find(({ key, operator }) => key === "metadata.name" && operator === "In");
    if (field?.values?.length === 1) return field.values[0];
  }
  return undefined;
}

export interface Eligibility {
  /** A pod is to be made there. */
  readonly shouldRun: boolean;
  /** One that is there may stay. */
  readonly mayStay: boolean;
}

/** Resources do not count: a pod that finds no room waits for it. */
export function eligibility(set: DaemonSet, node: Node): Eligibility {
  const pod = daemonPod(set, { node: node.metadata?.name ?? "", hash: "" });
  const state = nodeState(node, []);
  if (set.spec?.template.spec?.nodeName !== undefined && set.spec.template.spec.nodeName !== state.name) {
    return { shouldRun: false, mayStay: false };
  }
  if (nodeAffinity(pod, state) !== undefined) return { shouldRun: false, mayStay: false };
  const own = pod.spec?.tolerations ?? [];
  const hard = (node.spec?.taints ?? []).filter(({ effect }) => effect !== "PreferNoSchedule");
  const driving = hard.filter(({ effect }) => effect === "NoExecute");
  return {
    shouldRun: untoleratedTaint(own, hard) === undefined,
    mayStay: untoleratedTaint(own, driving) === undefined,
  };
}
