/** Mirrors Endpoints that users keep by hand into EndpointSlices. */
import { isMirrored, managedByLabel, mirroringController, planMirror } from "../../model/endpoints/index.ts";
import type { CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";
import { writeSlices } from "./endpointslice-controller.ts";
import { ownKey, versions } from "./keys.ts";

const serviceNameLabel = "kubernetes.io/service-name";

export const createMirroringController: CreateController = (context) => {
  const { informers } = context;
  const { endpoints, endpointSlices, services } = informers;
  const reconciler = reconcilerOf(context, {
    name: "endpointslice-mirroring",
    waitFor: [endpoints, endpointSlices, services],
    reconcile: async (key) => {
      const source = endpoints.store.get(key);
      const service = services.store.get(key);
      const existing = endpointSlices.store
        .byIndex("service", key)
        .filter(({ metadata }) => metadata?.labels?.[managedByLabel] === mirroringController);
      const hasSelector = Object.keys(service?.spec?.selector ?? {}).length > 0;
      if (source === undefined || service === undefined || hasSelector || !isMirrored(source)) {
        await writeSlices(context, { create: [], update: [], remove: existing });
        return;
      }
      await writeSlices(context, planMirror(source, { existing }));
    },
  });
  reconciler.on(services, ownKey);
  reconciler.on(endpoints, ownKey);
  reconciler.on(endpointSlices, (change) =>
    versions(change)
      .filter(({ metadata }) => metadata?.labels?.[managedByLabel] === mirroringController)
      .map(({ metadata }) => `${metadata?.namespace ?? ""}/${metadata?.labels?.[serviceNameLabel] ?? ""}`),
  );
  return reconciler;
};
