/** Keeps a zone in step with the API server's objects. */
import type { EndpointSlice } from "../../api/generated/types.ts";
import { keyText } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import type { Clock } from "../../machinery/clock.ts";
import type { Change, Informer, Informers } from "../../machinery/informer/index.ts";
import type { KubernetesObject } from "../../api/object.ts";
import type { DnsZone } from "../../model/dns-zone/index.ts";
import type { DnsMetrics } from "./metrics.ts";

/** When the change behind a slice happened: endpoint controllers write it, so that the delay can be measured. */
const triggerTime = "endpoints.kubernetes.io/last-change-trigger-time";

export type ZoneInformers = ReturnType<typeof createZoneInformers>;

export function createZoneInformers(informers: Informers, options: { readonly withPods: boolean }) {
  return {
    namespaces: informers.create({ resource: resources.namespaces }),
    services: informers.create({ resource: resources.services }),
    slices: informers.create({ resource: resources.endpointSlices }),
    pods: options.withPods ? informers.create({ resource: resources.pods }) : undefined,
  } as const;
}

export interface ZoneFeedOptions {
  readonly zone: DnsZone;
  readonly informers: ZoneInformers;
  readonly clock: Clock;
  readonly metrics: DnsMetrics;
}

/** Fills the zone with what the informers have and every change from now on. Returns what ends that. */
export function feedZone({ zone, informers, clock, metrics }: ZoneFeedOptions): () => void {
  const { namespaces, services, slices, pods } = informers;
  const follow = <T extends KubernetesObject>(
    informer: Informer<T> | undefined,
    apply: { readonly set: (object: T) => void; readonly remove: (key: string) => void },
  ): (() => void) => {
    const end = informer?.onChange(({ key, current }: Change<T>) => {
      zone.serial = Math.floor(clock.now() / 1000);
      if (current === undefined) apply.remove(key);
      else apply.set(current);
    });
    return end ?? (() => undefined);
  };
  let isFilled = false;
  const ends = [
    follow(namespaces, { set: (object) => zone.setNamespace(object), remove: (key) => zone.deleteNamespace(key) }),
    follow(services, { set: (object) => zone.setService(object), remove: (key) => zone.deleteService(key) }),
    follow(slices, {
      set: (object) => {
        zone.setSlice(object);
        if (isFilled && slices.hasSynced) observeDelay(object);
      },
      remove: (key) => zone.deleteSlice(key),
    }),
    follow(pods, { set: (object) => zone.setPod(object), remove: (key) => zone.deletePod(key) }),
  ];
  isFilled = true;
  return () => ends.forEach((end) => end());

  /** As upstream, only for headless services with a selector: their endpoints are the answer. */
  function observeDelay(slice: EndpointSlice): void {
    const { namespace = "", labels = {}, annotations = {} } = slice.metadata ?? {};
    const happenedAtMs = Date.parse(annotations[triggerTime] ?? "");
    const service = services.store.get(keyText({ namespace, name: labels["kubernetes.io/service-name"] ?? "" }));
    const isHeadless = service?.spec?.clusterIP === "None" && service.spec.selector !== undefined;
    if (!isHeadless || Number.isNaN(happenedAtMs)) return;
    metrics.programmingSeconds.observe(["headless_with_selector"], Math.max(0, clock.now() - happenedAtMs) / 1000);
  }
}
