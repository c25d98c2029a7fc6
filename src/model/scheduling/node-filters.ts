/** Which nodes a pod can run on at all, by the node alone: upstream's filters, in upstream's order. */
import type { Pod } from "../../api/generated/types.ts";
import { untoleratedTaint } from "../taints/index.ts";
import { hostPortsCollide } from "./node-state.ts";
import type { NodeState } from "./node-state.ts";
import { podRequests } from "./resources.ts";
import { matchesTerm } from "./selectors.ts";

/** Why a node is out. `isFinal`: removing pods from it would not help. */
export interface Rejection {
  readonly reasons: readonly string[];
  readonly isFinal: boolean;
}

export type NodeFilter = (pod: Pod, node: NodeState) => Rejection | undefined;

function final(reason: string): Rejection {
  return { reasons: [reason], isFinal: true };
}

/** A cordoned node takes only pods that tolerate its taint. */
const nodeUnschedulable: NodeFilter = (pod, { node }) => {
  if (node.spec?.unschedulable !== true) return undefined;
  const taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };
  return untoleratedTaint(pod.spec?.tolerations ?? [], [taint]) && final("node(s) were unschedulable");
};

const nodeName: NodeFilter = ({ spec }, { name }) =>
  (spec?.nodeName ?? "") !== "" && spec?.nodeName !== name
    ? final("node(s) didn't match the requested node name")
    : undefined;

const taintToleration: NodeFilter = (pod, { taints }) => {
  const hard = taints.filter(({ effect }) => effect !== "PreferNoSchedule");
  const taint = untoleratedTaint(pod.spec?.tolerations ?? [], hard);
  return taint && final(`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ""}}`);
};

/** `nodeSelector` and the required part of the node affinity: one of its terms must hold. */
export const nodeAffinity: NodeFilter = ({ spec }, node) => {
  const isSelected = Object.entries(spec?.nodeSelector ?? {}).every(([name, value]) => node.labels[name] === value);
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const isMatched = required === undefined || required.nodeSelectorTerms.some((term) => matchesTerm(term, node));
  return isSelected && isMatched ? undefined : final("node(s) didn't match Pod's node affinity/selector");
};

const nodePorts: NodeFilter = (pod, { hostPorts }) => {
  if (!hostPortsCollide(pod, hostPorts)) return undefined;
  return { reasons: ["node(s) didn't have free ports for the requested pod ports"], isFinal: false };
};

/** The filter for one pod: what it asks for is added up once for all nodes. */
export function resourcesFilter(pod: Pod): NodeFilter {
  const wanted = Object.entries(podRequests(pod)).filter(([, amount]) => amount > 0);
  return (_pod, { allocatable, requested }) => {
    const reasons: string[] = [];
    let isFinal = false;
    for (const [name, amount] of wanted) {
      const total = allocatable[name] ?? 0;
      if (amount <= total - (requested[name] ?? 0)) continue;
      reasons.push(name === "pods" ? "Too many pods" : `Insufficient ${name}`);
      isFinal ||= amount > total;
    }
    return reasons.length === 0 ? undefined : { reasons, isFinal };
  };
}

/** The first that rejects a node gives the reason; resources come after these. */
export const nodeFilters: readonly NodeFilter[] = [
  nodeUnschedulable,
  nodeName,
  taintToleration,
  nodeAffinity,
  nodePorts,
];
