/** `topologySpreadConstraints`: how evenly the pods of a selector lie over zones, nodes, …  */
import { own } from "../../lib/own/index.ts";
import type { Pod, TopologySpreadConstraint } from "../../api/generated/types.ts";
import { matchesSelector } from "../../lib/labels/index.ts";
import { untoleratedTaint } from "../taints/index.ts";
import { nodeAffinity } from "./node-filters.ts";
import type { NodeFilter } from "./node-filters.ts";
import type { NodeState } from "./node-state.ts";
import { selectorFor } from "./selectors.ts";
import type { ClusterView } from "./view.ts";

interface Counted {
  readonly constraint: TopologySpreadConstraint;
  /** How many pods of the selector each domain has; domains without any included. */
  readonly domains: ReadonlyMap<string, number>;
  readonly isOwn: boolean;
}

/** The filter for one pod; undefined where it has no hard constraint. */
export function topologySpreadFilter(pod: Pod, view: ClusterView): NodeFilter | undefined {
  const hard = (pod.spec?.topologySpreadConstraints ?? []).filter(
    ({ whenUnsatisfiable }) => whenUnsatisfiable === "DoNotSchedule",
  );
  if (hard.length === 0) return undefined;
  const counted = hard.map((constraint) => count(pod, constraint, view));
  const reason = "node(s) didn't match pod topology spread constraints";
  return (_pod, node) => {
    for (const { constraint, domains, isOwn } of counted) {
      const domain = own(node.labels, constraint.topologyKey);
      if (domain === undefined) return { reasons: [`${reason} (missing required label)`], isFinal: true };
      const hasTooFewDomains = domains.size < (constraint.minDomains ?? 1);
      const least = hasTooFewDomains ? 0 : Math.min(...domains.values());
      const skew = (domains.get(domain) ?? 0) + (isOwn ? 1 : 0) - least;
      if (skew > constraint.maxSkew) return { reasons: [reason], isFinal: false };
    }
    return undefined;
  };
}

function count(pod: Pod, constraint: TopologySpreadConstraint, view: ClusterView): Counted {
  const { nodeAffinityPolicy = "Honor", nodeTaintsPolicy = "Ignore", topologyKey } = constraint;
  const domains = new Map<string, number>();
  const domainOfNode = new Map<string, string>();
  for (const node of view.nodes) {
    const domain = own(node.labels, topologyKey);
    if (domain === undefined || !counts(pod, node, { nodeAffinityPolicy, nodeTaintsPolicy })) continue;
    domainOfNode.set(node.name, domain);
    domains.set(domain, domains.get(domain) ?? 0);
  }
  const selector = selectorFor(pod, constraint);
  const others = selector === undefined ? [] : view.podsMatching(selector, pod.metadata?.namespace ?? "");
  for (const other of others) {
    if (other.metadata?.deletionTimestamp !== undefined) continue;
    const domain = domainOfNode.get(view.nodeOf(other) ?? "");
    if (domain !== undefined) domains.set(domain, (domains.get(domain) ?? 0) + 1);
  }
  return { constraint, domains, isOwn: matchesSelector(selector, pod.metadata?.labels ?? {}) };
}

/** Nodes on which the pod could not run anyway do not count as empty domains. */
function counts(
  pod: Pod,
  node: NodeState,
  policies: { readonly nodeAffinityPolicy: string; readonly nodeTaintsPolicy: string },
): boolean {
  if (policies.nodeAffinityPolicy === "Honor" && nodeAffinity(pod, node) !== undefined) return false;
  if (policies.nodeTaintsPolicy !== "Honor") return true;
  const hard = node.taints.filter(({ effect }) => effect !== "PreferNoSchedule");
  return untoleratedTaint(pod.spec?.tolerations ?? [], hard) === undefined;
}

/** Fewer like pods in a node's domains is better: 0 for the most, 100 for none. */
export function spreadScores(pod: Pod, nodes: readonly NodeState[], view: ClusterView): ReadonlyMap<string, number> {
  const soft = (pod.spec?.topologySpreadConstraints ?? []).filter(
    ({ whenUnsatisfiable }) => whenUnsatisfiable === "ScheduleAnyway",
  );
  const cost = new Map<string, number>();
  const addCosts = (topologyKey: string, others: readonly Pod[], weight: number): void => {
    const perDomain = new Map<string, number>();
    const labelsOf = new Map(view.nodes.map(({ name, labels }) => [name, labels]));
    for (const other of others) {
      if (other.metadata?.deletionTimestamp !== undefined) continue;
      const domain = own(labelsOf.get(view.nodeOf(other) ?? ""), topologyKey);
      if (domain !== undefined) perDomain.set(domain, (perDomain.get(domain) ?? 0) + weight);
    }
    for (const { name, labels } of nodes) {
      cost.set(name, (cost.get(name) ?? 0) + (perDomain.get(own(labels, topologyKey) ?? "") ?? 0));
    }
  };
  for (const constraint of soft) {
    const selector = selectorFor(pod, constraint);
    const others = selector === undefined ? [] : view.podsMatching(selector, pod.metadata?.namespace ?? "");
    addCosts(constraint.topologyKey, others, 1);
  }
  // Where the pod says nothing itself, like pods go to different nodes and, above all, zones.
  if ((pod.spec?.topologySpreadConstraints ?? []).length === 0) {
    const others = view.likePod(pod);
    addCosts("kubernetes.io/hostname", others, 1);
    addCosts("topology.kubernetes.io/zone", others, 1);
  }
  const most = Math.max(0, ...cost.values());
  const least = Math.min(most, ...cost.values());
  return new Map(
    nodes.map(({ name }) => [name, most === 0 ? 100 : (100 * (most + least - (cost.get(name) ?? 0))) / most]),
  );
}
