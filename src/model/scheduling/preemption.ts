/** Which pods must go so that a more important one finds a place: upstream's choice. */
import type { Pod, PodDisruptionBudget } from "../../api/generated/types.ts";
import { matchesSelector } from "../../lib/labels/index.ts";
import { feasibleOn } from "./filters.ts";
import { nodeState } from "./node-state.ts";
import type { NodeState } from "./node-state.ts";
import type { ClusterView } from "./view.ts";

export interface Preemption {
  readonly node: string;
  readonly victims: readonly Pod[];
}

export function priorityOf({ spec }: Pod): number {
  return spec?.priority ?? 0;
}

/** The most important first; of equal ones the older. */
export function byImportance(a: Pod, b: Pod): number {
  if (priorityOf(a) !== priorityOf(b)) return priorityOf(b) - priorityOf(a);
  return startOf(a) < startOf(b) ? -1 : 1;
}

function startOf({ metadata, status }: Pod): string {
  return status?.startTime ?? metadata?.creationTimestamp ?? "";
}

/** Undefined where removing less important pods makes room nowhere. */
export function planPreemption(
  pod: Pod,
  view: ClusterView,
  {
    budgets,
    isHopeless,
  }: { readonly budgets: readonly PodDisruptionBudget[]; readonly isHopeless: (node: string) => boolean },
): Preemption | undefined {
  const candidates = view.nodes
    .filter(({ name }) => !isHopeless(name))
    .map((node) => victimsOn(pod, node, { view, budgets }))
    .filter((candidate) => candidate !== undefined);
  return candidates.toSorted(byCost)[0];
}

interface Candidate extends Preemption {
  /** Victims whose budgets do not allow it. */
  readonly violations: number;
}

/** The fewest: all less important ones are thought away, and come back, the most important first, while there is room. */
function victimsOn(
  pod: Pod,
  node: NodeState,
  { view, budgets }: { readonly view: ClusterView; readonly budgets: readonly PodDisruptionBudget[] },
): Candidate | undefined {
  const lower = node.pods.filter((other) => priorityOf(other) < priorityOf(pod)).toSorted(byImportance);
  if (lower.length === 0) return undefined;
  const gone = new Set(lower);
  const fits = (): boolean => {
    const left = nodeState(
      node.node,
      node.pods.filter((other) => !gone.has(other)),
    );
    return feasibleOn(pod, left, viewWithout(view, gone));
  };
  if (!fits()) return undefined;
  const isProtected = protection(budgets);
  const marked = lower.map((victim) => ({ victim, isViolation: isProtected(victim) }));
  const order = [
    ...marked.filter(({ isViolation }) => isViolation),
    ...marked.filter(({ isViolation }) => !isViolation),
  ];
  const victims: Pod[] = [];
  let violations = 0;
  for (const { victim, isViolation } of order) {
    gone.delete(victim);
    if (fits()) continue;
    gone.add(victim);
    victims.push(victim);
    if (isViolation) violations += 1;
  }
  return { node: node.name, victims: victims.toSorted(byImportance), violations };
}

/** Uses up what the budgets allow, in the order of the questions. */
function protection(budgets: readonly PodDisruptionBudget[]): (pod: Pod) => boolean {
  const left = new Map(budgets.map((budget) => [budget, budget.status?.disruptionsAllowed ?? 0]));
  return ({ metadata }) => {
    let isViolation = false;
    for (const budget of budgets) {
      if (budget.metadata?.namespace !== metadata?.namespace) continue;
      if (!matchesSelector(budget.spec?.selector, metadata?.labels ?? {})) continue;
      const allowed = (left.get(budget) ?? 0) - 1;
      left.set(budget, allowed);
      if (allowed < 0) isViolation = true;
    }
    return isViolation;
  };
}

function viewWithout(view: ClusterView, gone: ReadonlySet<Pod>): ClusterView {
  const uids = new Set([...gone].map(({ metadata }) => metadata?.uid));
  const rest = (pods: readonly Pod[]): readonly Pod[] => pods.filter(({ metadata }) => !uids.has(metadata?.uid));
  return {
    nodes: view.nodes,
    nominated: [],
    podsMatching: (selector, namespace) => rest(view.podsMatching(selector, namespace)),
    podsWithAntiAffinity: rest(view.podsWithAntiAffinity),
    nodeOf: (pod) => view.nodeOf(pod),
    namespaceLabels: (name) => view.namespaceLabels(name),
    volumesOf: (pod) => view.volumesOf(pod),
    likePod: (pod) => rest(view.likePod(pod)),
  };
}

/** Upstream's order: budgets, the most important victim, the sum of importance, the number, the latest start. */
function byCost(a: Candidate, b: Candidate): number {
  const most = ({ victims: [first] }: Candidate): number => (first === undefined ? -Infinity : priorityOf(first));
  const sum = ({ victims }: Candidate): number =>
    victims.reduce((total, victim) => total + priorityOf(victim) + 2 ** 31, 0);
  const differences = [
    a.violations - b.violations,
    most(a) - most(b),
    sum(a) - sum(b),
    a.victims.length - b.victims.length,
  ];
  const decisive = differences.find((difference) => difference !== 0);
  if (decisive !== undefined) return decisive;
  const [first, second] = [a.victims[0], b.victims[0]].map((victim) => (victim === undefined ? "" : startOf(victim)));
  return (first ?? "") > (second ?? "") ? -1 : 1;
}
