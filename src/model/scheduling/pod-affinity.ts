/** Affinity and anti-affinity between pods, over the domains of a topology key. */
import { own } from "../../lib/own/index.ts";
import type { Pod, PodAffinityTerm } from "../../api/generated/types.ts";
import type { NodeFilter } from "./node-filters.ts";
import type { NodeState } from "./node-state.ts";
import { matchesPodTerm, selectorFor } from "./selectors.ts";
import type { ClusterView } from "./view.ts";

/** The filter for one pod; undefined where neither it nor any other pod has a required term. */
export function podAffinityFilter(pod: Pod, view: ClusterView): NodeFilter | undefined {
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {};
  const wanted = podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const refused = podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  if (wanted.length === 0 && refused.length === 0 && view.podsWithAntiAffinity.length === 0) return undefined;
  const wantedDomains = wanted.map((term) => ({ term, domains: domainsOf(term, pod, view) }));
  const refusedDomains = refused.map((term) => ({ term, domains: domainsOf(term, pod, view) }));
  const refusing = refusingDomains(pod, view);
  // The first of a group that wants to be together: nobody is there yet to join.
  const isFirst =
    wanted.length > 0 &&
    wantedDomains.every(({ domains }) => domains.size === 0) &&
    wanted.every((term) =>
      matchesPodTerm(term, { pod, other: pod, namespaceLabels: (name) => view.namespaceLabels(name) }),
    );
  return (_pod, { labels }) => {
    const isMissing = wantedDomains.some(({ term, domains }) => {
      const domain = own(labels, term.topologyKey);
      return domain === undefined || (!isFirst && !domains.has(domain));
    });
    if (isMissing) return { reasons: ["node(s) didn't match pod affinity rules"], isFinal: true };
    if (refusedDomains.some(({ term, domains }) => domains.has(own(labels, term.topologyKey) ?? ""))) {
      return { reasons: ["node(s) didn't match pod anti-affinity rules"], isFinal: false };
    }
    if (refusing.some(({ key, domain }) => own(labels, key) === domain)) {
      return { reasons: ["node(s) didn't satisfy existing pods anti-affinity rules"], isFinal: false };
    }
    return undefined;
  };
}

/** How many pods that a term means are in each domain. */
function domainsOf(term: PodAffinityTerm, pod: Pod, view: ClusterView): ReadonlyMap<string, number> {
  const domains = new Map<string, number>();
  const selector = selectorFor(pod, term);
  if (selector === undefined) return domains;
  const labelsOf = new Map(view.nodes.map(({ name, labels }) => [name, labels]));
  const isOwnOnly = (term.namespaces ?? []).length === 0 && term.namespaceSelector === undefined;
  for (const other of view.podsMatching(selector, isOwnOnly ? (pod.metadata?.namespace ?? "") : undefined)) {
    if (!matchesPodTerm(term, { pod, other, namespaceLabels: (name) => view.namespaceLabels(name) })) continue;
    const domain = own(labelsOf.get(view.nodeOf(other) ?? ""), term.topologyKey);
    if (domain !== undefined) domains.set(domain, (domains.get(domain) ?? 0) + 1);
  }
  return domains;
}

/** Where pods that are there already refuse this one. */
function refusingDomains(pod: Pod, view: ClusterView): readonly { readonly key: string; readonly domain: string }[] {
  const labelsOf = new Map(view.nodes.map(({ name, labels }) => [name, labels]));
  const found: { readonly key: string; readonly domain: string }[] = [];
  for (const other of view.podsWithAntiAffinity) {
    const terms = other.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    for (const term of terms) {
      const domain = own(labelsOf.get(view.nodeOf(other) ?? ""), term.topologyKey);
      if (domain === undefined) continue;
      const namespaceLabels = (name: string): Readonly<Record<string, string>> => view.namespaceLabels(name);
      if (matchesPodTerm(term, { pod: other, other: pod, namespaceLabels }))
        found.push({ key: term.topologyKey, domain });
    }
  }
  return found;
}

/** The pod's preferences, for and against, scaled to 0 to 100; undefined where it has none. */
export function podAffinityScores(
  pod: Pod,
  nodes: readonly NodeState[],
  view: ClusterView,
): ReadonlyMap<string, number> | undefined {
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {};
  const liked = podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const disliked = podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const terms = [
    ...liked.map(({ weight, podAffinityTerm: term }) => ({ weight, term, domains: domainsOf(term, pod, view) })),
    ...disliked.map(({ weight, podAffinityTerm: term }) => ({
      weight: -weight,
      term,
      domains: domainsOf(term, pod, view),
    })),
  ];
  if (terms.length === 0) return undefined;
  const raw = nodes.map(({ labels }) =>
    terms.reduce(
      (sum, { weight, term, domains }) => sum + weight * (domains.get(own(labels, term.topologyKey) ?? "") ?? 0),
      0,
    ),
  );
  const [least, most] = [Math.min(...raw), Math.max(...raw)];
  return new Map(
    nodes.map(({ name }, index) => [name, most === least ? 0 : (100 * ((raw[index] ?? 0) - least)) / (most - least)]),
  );
}
