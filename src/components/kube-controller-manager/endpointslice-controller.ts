/** Keeps the EndpointSlices of each Service with a selector. */
import type { SliceWrites, TriggerState } from "../../model/endpoints/index.ts";
import { managedByLabel, planSlices, selectsPods, sliceController, triggerTime } from "../../model/endpoints/index.ts";
import { resources } from "../../api/resources.ts";
import { isNamespaceTerminating, whereItStillIs } from "./answers.ts";
import type { ControllerContext, CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";
import { ownKey, versions } from "./keys.ts";
import { podsOfService, servicesOfPod } from "./service-pods.ts";

const serviceNameLabel = "kubernetes.io/service-name";
const zoneLabel = "topology.kubernetes.io/zone";

export const createEndpointSliceController: CreateController = (context) => {
  const { config, informers } = context;
  const { pods, services, endpointSlices, nodes } = informers;
  const triggers = new Map<string, TriggerState>();
  const reconciler = reconcilerOf(context, {
    name: "endpointslice",
    waitFor: [pods, services, endpointSlices, nodes],
    concurrency: 5,
    reconcile: async (key) => {
      const service = services.store.get(key);
      if (service === undefined) triggers.delete(key);
      // Without a Service the owner reference lets the collector remove the slices.
      if (service === undefined || !selectsPods(service)) return;
      if (service.metadata?.deletionTimestamp !== undefined) return;
      const selected = podsOfService(informers, service);
      const trigger = triggerTime(triggers.get(key), { service, pods: selected });
      triggers.set(key, trigger.state);
      const writes = planSlices({
        service,
        pods: selected,
        nodeOf: (name) => nodes.store.get(name),
        existing: endpointSlices.store
          .byIndex("service", key)
          .filter(({ metadata }) => metadata?.labels?.[managedByLabel] === sliceController),
        triggerTime: trigger.time,
        maxEndpoints: config.maxEndpointsPerSlice,
      });
      await writeSlices(context, writes);
    },
  });
  reconciler.on(services, ownKey);
  reconciler.on(pods, (change) => servicesOfPod(informers, change));
  reconciler.on(endpointSlices, (change) =>
    versions(change)
      .filter(({ metadata }) => metadata?.labels?.[managedByLabel] === sliceController)
      .map(({ metadata }) => `${metadata?.namespace ?? ""}/${metadata?.labels?.[serviceNameLabel] ?? ""}`),
  );
  // The zone of endpoints is their node's.
  reconciler.on(nodes, ({ current, previous }) =>
    current?.metadata?.labels?.[zoneLabel] === previous?.metadata?.labels?.[zoneLabel]
      ? []
      : services.store.list().map(({ metadata }) => `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`),
  );
  return reconciler;
};

/** Removes last: an endpoint that moves between slices is then in both for a moment rather than in none. */
export async function writeSlices(
  { client, informers }: ControllerContext,
  { create, update, remove }: SliceWrites,
): Promise<void> {
  const { endpointSlices } = informers;
  for (const slice of create) {
    try {
      endpointSlices.observe(await client.create(resources.endpointSlices, slice));
    } catch (error) {
      if (!isNamespaceTerminating(error)) throw error;
    }
  }
  for (const slice of update) endpointSlices.observe(await client.update(resources.endpointSlices, slice));
  for (const { metadata } of remove) {
    const { name = "", namespace = "", uid } = metadata ?? {};
    const preconditions = uid === undefined ? {} : { preconditions: { uid } };
    await whereItStillIs(client.delete(resources.endpointSlices, { namespace, name }, preconditions));
  }
}
