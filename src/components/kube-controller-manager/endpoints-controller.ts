/** Keeps the Endpoints object of each Service with a selector. */
import { resources } from "../../api/resources.ts";
import {
  planEndpoints,
  endpointsController,
  endpointsManagedByLabel,
  selectsPods,
  triggerTime,
} from "../../model/endpoints/index.ts";
import type { TriggerState } from "../../model/endpoints/index.ts";
import { isNamespaceTerminating, whereItStillIs } from "./answers.ts";
import type { CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";
import { ownKey, parseKey } from "./keys.ts";
import { podsOfService, servicesOfPod } from "./service-pods.ts";

export const createEndpointsController: CreateController = (context) => {
  const { client, informers } = context;
  const { endpoints, pods, services } = informers;
  const triggers = new Map<string, TriggerState>();
  const reconciler = reconcilerOf(context, {
    name: "endpoint",
    waitFor: [endpoints, pods, services],
    concurrency: 5,
    reconcile: async (key) => {
      const service = services.store.get(key);
      const existing = endpoints.store.get(key);
      if (service === undefined) {
        triggers.delete(key);
        // Kept by hand or by another: not ours to delete.
        const isOurs = existing?.metadata?.labels?.[endpointsManagedByLabel] === endpointsController;
        if (isOurs) await whereItStillIs(client.delete(resources.endpoints, parseKey(key)));
        return;
      }
      if (!selectsPods(service)) return;
      const selected = podsOfService(informers, service);
      const trigger = triggerTime(triggers.get(key), { service, pods: selected });
      triggers.set(key, trigger.state);
      const next = planEndpoints({ service, pods: selected, existing, triggerTime: trigger.time });
      if (next === undefined) return;
      try {
        const write =
          existing === undefined ? client.create(resources.endpoints, next) : client.update(resources.endpoints, next);
        endpoints.observe(await write);
      } catch (error) {
        if (!isNamespaceTerminating(error)) throw error;
      }
    },
  });
  reconciler.on(services, ownKey);
  reconciler.on(endpoints, ownKey);
  reconciler.on(pods, (change) => servicesOfPod(informers, change));
  return reconciler;
};
