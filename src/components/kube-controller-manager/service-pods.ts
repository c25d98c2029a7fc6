/** Which Services a change of a pod concerns, and which pods a Service selects; without walking over all. */
import type { Pod, Service } from "../../api/generated/types.ts";
import type { Change } from "../../machinery/informer/index.ts";
import { selectorMatches } from "../../model/endpoints/index.ts";
import { isPodReady } from "../../model/workload/index.ts";
import { labelEntry } from "./informers.ts";
import type { SharedInformers } from "./informers.ts";
import { textOf, versions } from "./keys.ts";

/** The keys of the Services that select the pod or did before. Empty where nothing changed that endpoints show. */
export function servicesOfPod({ services }: SharedInformers, change: Change<Pod>): readonly string[] {
  const { current, previous } = change;
  if (current !== undefined && previous !== undefined && looksSame(current, previous)) return [];
  const keys = new Set<string>();
  for (const pod of versions(change)) {
    for (const pair of Object.entries(pod.metadata?.labels ?? {})) {
      for (const service of services.store.byIndex("selector", labelEntry(pod.metadata?.namespace ?? "", pair))) {
        if (selectorMatches(service.spec?.selector ?? {}, pod)) keys.add(textOf(service));
      }
    }
  }
  return [...keys];
}

function looksSame(a: Pod, b: Pod): boolean {
  return facts(a) === facts(b);
}

function facts(pod: Pod): string {
  const { metadata, spec, status } = pod;
  return JSON.stringify([
    metadata?.labels,
    metadata?.deletionTimestamp !== undefined,
    spec?.nodeName,
    status?.podIPs ?? status?.podIP,
    status?.phase,
    isPodReady(pod),
  ]);
}

/** Walks only the pods with the rarest label of the selector. */
export function podsOfService({ pods }: SharedInformers, service: Service): readonly Pod[] {
  const selector = service.spec?.selector ?? {};
  const namespace = service.metadata?.namespace ?? "";
  const candidates = Object.entries(selector)
    .map((pair) => pods.store.byIndex("label", labelEntry(namespace, pair)))
    .toSorted((a, b) => a.length - b.length)[0];
  return (candidates ?? []).filter((pod) => selectorMatches(selector, pod));
}
