/** Quotas: what a namespace may hold. */
import type { ResourceQuota } from "../../../api/generated/types.ts";
import { forbidden } from "../../../api/status.ts";
import { checkQuota } from "../../../model/quota/index.ts";
import type { ObjectStore } from "../../../storage/index.ts";
import type { AdmissionPlugin } from "./admission.ts";

const quotas = "resourcequotas";
/** Of other updates nothing is counted, so nobody has to look. */
const countedUpdates = new Set(["services", "persistentvolumeclaims"]);

/**
 * Charges the quotas in the turn in which the object is handed to the store, so that two objects never share the last
 * of it. A charge whose object is refused after all is given back by the controller's next count.
 */
export function resourceQuota(store: ObjectStore): AdmissionPlugin {
  return {
    name: "ResourceQuota",
    validate: ({ operation, definition, subresource, namespace, name, object, old, isDryRun }) => {
      if (object === undefined || namespace === "" || subresource !== "" || !definition.isNamespaced) return;
      const { group, plural } = definition.storage;
      const resource = group === "" ? plural : `${plural}.${group}`;
      if (operation !== "CREATE" && !(operation === "UPDATE" && countedUpdates.has(resource))) return;
      const charges: (() => void)[] = [];
      for (const { key } of store.list(quotas, { namespace }).items) {
        const stored = store.latest(key);
        if (stored === undefined) continue;
        const quota: ResourceQuota = stored.object;
        const verdict = checkQuota(quota, { resource, object, old });
        if ("refusal" in verdict)
          throw forbidden({ group: definition.group, name: definition.plural }, name, verdict.refusal);
        const { used } = verdict;
        if (used === undefined) continue;
        charges.push(() => {
          const charged: ResourceQuota = { ...quota, status: { ...quota.status, used } };
          // The same commit as the object's: where it fails, the object fails too, and its writer hears of it.
          store.update(key, charged, stored.revision).catch(() => undefined);
        });
      }
      if (isDryRun) return;
      for (const charge of charges) charge();
    },
  };
}
