/** Selectors as pods use them: of nodes, and of other pods by label and namespace. */
import { own } from "../../lib/own/index.ts";
import type { NodeSelectorRequirement, NodeSelectorTerm, Pod, PodAffinityTerm } from "../../api/generated/types.ts";
import { matchesLabels, matchesSelector } from "../../lib/labels/index.ts";
import type { Operator, StructuredSelector } from "../../lib/labels/index.ts";
import type { NodeState } from "./node-state.ts";

const operators: Readonly<Record<string, Operator>> = {
  In: "In",
  NotIn: "NotIn",
  Exists: "Exists",
  DoesNotExist: "DoesNotExist",
  Gt: "GreaterThan",
  Lt: "LessThan",
};

function holds(
  { key, operator, values = [] }: NodeSelectorRequirement,
  labels: Readonly<Record<string, string>>,
): boolean {
  const known = operators[operator];
  return known !== undefined && matchesLabels([{ key, operator: known, values }], labels);
}

/** All of a term's conditions must hold; an empty term matches nothing. */
export function matchesTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: NodeState): boolean {
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  return (
    matchExpressions.every((expression) => holds(expression, node.labels)) &&
    matchFields.every((field) => holds(field, { "metadata.name": node.name }))
  );
}

/** What a constraint's selector means for this pod: `matchLabelKeys` add the pod's own values. */
export function selectorFor(
  pod: Pod,
  {
    labelSelector,
    matchLabelKeys = [],
    mismatchLabelKeys = [],
  }: {
    readonly labelSelector?: StructuredSelector;
    readonly matchLabelKeys?: readonly string[];
    readonly mismatchLabelKeys?: readonly string[];
  },
): StructuredSelector | undefined {
  if (labelSelector === undefined) return undefined;
  const ofPod = (operator: string) => (key: string) => {
    const value = own(pod.metadata?.labels, key);
    return value === undefined ? [] : [{ key, operator, values: [value] }];
  };
  return {
    ...labelSelector,
    matchExpressions: [
      ...(labelSelector.matchExpressions ?? []),
      ...matchLabelKeys.flatMap(ofPod("In")),
      ...mismatchLabelKeys.flatMap(ofPod("NotIn")),
    ],
  };
}

/** Whether `other` is one of the pods a (anti-)affinity term of `pod` means. */
export function matchesPodTerm(
  term: PodAffinityTerm,
  {
    pod,
    other,
    namespaceLabels,
  }: {
    readonly pod: Pod;
    readonly other: Pod;
    readonly namespaceLabels: (name: string) => Readonly<Record<string, string>>;
  },
): boolean {
  const namespace = other.metadata?.namespace ?? "";
  const { namespaces = [], namespaceSelector } = term;
  const isOwnOnly = namespaces.length === 0 && namespaceSelector === undefined;
  const isMeant = isOwnOnly
    ? namespace === (pod.metadata?.namespace ?? "")
    : namespaces.includes(namespace) || matchesSelector(namespaceSelector, namespaceLabels(namespace));
  return isMeant && matchesSelector(selectorFor(pod, term), other.metadata?.labels ?? {});
}
