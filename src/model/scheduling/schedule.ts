/** Where a pod goes: what cannot take it is filtered out, the rest is scored. */
import type { Pod } from "../../api/generated/types.ts";
import { tolerates } from "../taints/index.ts";
import { filtersFor } from "./filters.ts";
import type { Rejection } from "./node-filters.ts";
import { withPod } from "./node-state.ts";
import type { NodeState } from "./node-state.ts";
import { priorityOf } from "./preemption.ts";
import { podAffinityScores } from "./pod-affinity.ts";
import { weighedRequests } from "./resources.ts";
import type { Amounts } from "./resources.ts";
import { matchesTerm } from "./selectors.ts";
import { spreadScores } from "./topology-spread.ts";
import type { ClusterView } from "./view.ts";

export type Decision =
  | { readonly node: string }
  | {
      readonly node: undefined;
      /** Upstream's message: how many nodes fail for which reason. */
      readonly summary: string;
      /** The same, and why removing other pods does not help. */
      readonly message: string;
      /** Nodes on which removing other pods would not help. */
      readonly hopeless: ReadonlySet<string>;
    };

export function schedulePod(pod: Pod, view: ClusterView): Decision {
  const names = new Set(view.nodes.map(({ name }) => name));
  if (view.nodes.length === 0) {
    const message = "no nodes available to schedule pods";
    return { node: undefined, summary: message, message, hopeless: names };
  }
  const { problem } = view.volumesOf(pod);
  if (problem !== undefined) {
    const total = `0/${view.nodes.length} nodes are available:`;
    const preemption = `${view.nodes.length} Preemption is not helpful for scheduling`;
    const summary = `${total} ${problem}.`;
    return { node: undefined, summary, message: `${summary} preemption: ${total} ${preemption}.`, hopeless: names };
  }
  const filters = filtersFor(pod, view);
  const rejections: Rejection[] = [];
  const hopeless = new Set<string>();
  const feasible: NodeState[] = [];
  for (const node of view.nodes) {
    const state = withNominated(pod, node, view);
    let rejection: Rejection | undefined;
    for (const filter of filters) {
      rejection = filter(pod, state);
      if (rejection !== undefined) break;
    }
    if (rejection === undefined) feasible.push(node);
    else rejections.push(rejection);
    if (rejection?.isFinal === true) hopeless.add(node.name);
  }
  const best = bestOf(pod, feasible, view);
  if (best !== undefined) return { node: best };
  return { node: undefined, ...unschedulableMessages(rejections), hopeless };
}

/** The room made for pods that are as important is theirs. */
function withNominated(pod: Pod, node: NodeState, { nominated }: ClusterView): NodeState {
  return nominated
    .filter((other) => other.node === node.name && other.pod.metadata?.uid !== pod.metadata?.uid)
    .filter((other) => priorityOf(other.pod) >= priorityOf(pod))
    .reduce((state, other) => withPod(state, other.pod), node);
}

/** Of equal nodes the one with fewer pods, then the first in the view's order: the same cluster schedules the same way. */
function bestOf(pod: Pod, nodes: readonly NodeState[], view: ClusterView): string | undefined {
  if (nodes.length <= 1) return nodes[0]?.name;
  const spread = spreadScores(pod, nodes, view);
  const affinity = podAffinityScores(pod, nodes, view);
  const intolerable = nodes.map(({ taints }) => softTaints(pod, taints));
  const wanted = weighedRequests(pod);
  const preferred = nodes.map((node) => preferredNodeWeight(pod, node));
  let best: { readonly node: NodeState; readonly score: number } | undefined;
  for (const [index, node] of nodes.entries()) {
    const used = sharesAfter(wanted, node);
    // Upstream's weights.
    const score =
      3 * scaled(intolerable, index, { isReversed: true }) +
      2 * scaled(preferred, index, { isReversed: false }) +
      2 * (spread.get(node.name) ?? 0) +
      2 * (affinity?.get(node.name) ?? 0) +
      leastAllocated(used) +
      balanced(used);
    const isBetter =
      best === undefined ||
      score > best.score + 1e-9 ||
      (score > best.score - 1e-9 && node.pods.length < best.node.pods.length);
    if (isBetter) best = { node, score };
  }
  return best?.node.name;
}

/** 0 to 100 by the share of the largest. */
function scaled(values: readonly number[], index: number, { isReversed }: { readonly isReversed: boolean }): number {
  const most = Math.max(...values);
  const share = most === 0 ? 0 : (100 * (values[index] ?? 0)) / most;
  return isReversed ? 100 - share : share;
}

function softTaints({ spec }: Pod, taints: NodeState["taints"]): number {
  const tolerations = spec?.tolerations ?? [];
  return taints.filter(
    (taint) => taint.effect === "PreferNoSchedule" && !tolerations.some((toleration) => tolerates(toleration, taint)),
  ).length;
}

function preferredNodeWeight({ spec }: Pod, node: NodeState): number {
  const terms = spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return terms.reduce((sum, { weight, preference }) => (matchesTerm(preference, node) ? sum + weight : sum), 0);
}

/** The shares of CPU and memory in use once the pod is there. */
function sharesAfter(wanted: Amounts, { allocatable, weighed }: NodeState): readonly number[] {
  return ["cpu", "memory"]
    .filter((name) => (allocatable[name] ?? 0) > 0)
    .map((name) => Math.min(((weighed[name] ?? 0) + (wanted[name] ?? 0)) / (allocatable[name] ?? 1), 1));
}

function leastAllocated(used: readonly number[]): number {
  if (used.length === 0) return 0;
  return (100 * used.reduce((sum, share) => sum + 1 - share, 0)) / used.length;
}

/** The nearer the shares of CPU and memory, the less of either is stranded. */
function balanced([cpu, memory]: readonly number[]): number {
  if (cpu === undefined || memory === undefined) return 0;
  return 100 * (1 - Math.abs(cpu - memory) / 2);
}

function unschedulableMessages(rejections: readonly Rejection[]): {
  readonly summary: string;
  readonly message: string;
} {
  const total = `0/${rejections.length} nodes are available:`;
  const reasons = histogram(rejections.flatMap((rejection) => rejection.reasons));
  const preemption = histogram(
    rejections.map(({ isFinal }) =>
      isFinal ? "Preemption is not helpful for scheduling" : "No preemption victims found for incoming pod",
    ),
  );
  const summary = `${total} ${reasons}.`;
  return { summary, message: `${summary} preemption: ${total} ${preemption}.` };
}

/** `1 Insufficient cpu, 2 node(s) were unschedulable`, in the order of the text. */
function histogram(reasons: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .toSorted((a, b) => (a < b ? -1 : 1))
    .join(", ");
}
