/** Every namespace has a service account `default`. */
import { resources } from "../../api/resources.ts";
import { isAlreadyExists, isNamespaceTerminating } from "./answers.ts";
import type { CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";
import { ownKey, versions } from "./keys.ts";

const name = "default";

export const createServiceAccountController: CreateController = (context) => {
  const { client, informers } = context;
  const { namespaces, serviceAccounts } = informers;
  const reconciler = reconcilerOf(context, {
    name: "serviceaccount",
    waitFor: [namespaces, serviceAccounts],
    reconcile: async (namespace) => {
      const isActive = namespaces.store.get(namespace)?.metadata?.deletionTimestamp === undefined;
      if (!namespaces.store.get(namespace) || !isActive) return;
      if (serviceAccounts.store.get(`${namespace}/${name}`) !== undefined) return;
      try {
        serviceAccounts.observe(await client.create(resources.serviceAccounts, { metadata: { namespace, name } }));
      } catch (error) {
        if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) throw error;
      }
    },
  });
  reconciler.on(namespaces, ownKey);
  reconciler.on(serviceAccounts, (change) =>
    versions(change)
      .filter(({ metadata }) => metadata?.name === name)
      .map(({ metadata }) => metadata?.namespace ?? ""),
  );
  return reconciler;
};
