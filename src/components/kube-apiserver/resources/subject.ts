/** A served resource as the bookkeeping of field owners sees it. */
import type { Subject } from "../../../api/apply/index.ts";
import { apiVersionOf } from "../../../api/object.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import type { ServedResource } from "./resource.ts";

/** `subresource` is the one that the owners are recorded with. */
export function subjectOf({ definition, environment }: ServedResource, subresource: string): Subject {
  const { storage, type, subresources } = definition;
  return {
    type,
    apiVersion: apiVersionOf(definition),
    subresource,
    hasStatus: Object.hasOwn(subresources, "status"),
    inVersion: (object, apiVersion) => {
      const from = object.apiVersion ?? apiVersionOf(definition);
      const served = environment.servedFrom(storage.group, storage.plural);
      const source = served.find((one) => apiVersionOf(one) === from) ?? definition;
      const target = served.find((one) => apiVersionOf(one) === apiVersion);
      if (target === undefined) return undefined;
      const stored = source.conversion?.toStored(object) ?? object;
      const converted: KubernetesObject = target.conversion?.toServed(stored) ?? stored;
      return { type: target.type, object: { ...converted, apiVersion, kind: target.kind } };
    },
  };
}
