/** Counts what namespaces hold against their quotas. Admission charges what is made; this gives back what has gone. */
import { resources } from "../../api/resources.ts";
import type { ResourceQuota } from "../../api/generated/types.ts";
import { isJsonEqual } from "../../lib/equal/index.ts";
import { quotaStatus } from "../../model/quota/index.ts";
import { whereItStillIs } from "./answers.ts";
import type { CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";
import { ownKey, textOf } from "./keys.ts";

export const createResourceQuotaController: CreateController = (context) => {
  const { client, informers } = context;
  const { quotas, byResource } = informers;
  const reconciler = reconcilerOf(context, {
    name: "resourcequota",
    waitFor: [quotas, ...byResource.values()],
    reconcile: async (key) => {
      const quota = quotas.store.get(key);
      if (quota === undefined || quota.metadata?.deletionTimestamp !== undefined) return;
      const { namespace = "" } = quota.metadata ?? {};
      const status = quotaStatus(quota, (resource) => {
        if (resource === "pods") return informers.pods.store.byIndex("namespace", namespace);
        const all = byResource.get(resource)?.store.list() ?? [];
        return [...all].filter(({ metadata }) => metadata?.namespace === namespace);
      });
      if (isJsonEqual(status, quota.status)) return;
      const next: ResourceQuota = { ...quota, status };
      const write = client.update(resources.resourceQuotas, next, { subresource: "status" });
      // Charged by admission meanwhile: its event brings us back.
      if (await whereItStillIs(write)) quotas.observe(await write);
    },
  });
  reconciler.on(quotas, ownKey);
  for (const informer of byResource.values()) {
    if (!informer.resource.isNamespaced || informer.resource.plural === resources.resourceQuotas.plural) continue;
    // Everything counts, what is made too: a count that came too early for an object is mended when it is seen.
    reconciler.on(informer, ({ key }) => quotas.store.byIndex("namespace", key.split("/")[0] ?? "").map(textOf));
  }
  return reconciler;
};
