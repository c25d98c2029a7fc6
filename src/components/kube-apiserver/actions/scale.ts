/** `scale`: the number of replicas as an object of its own, the same for every workload. */
import type { Scale } from "../../../api/generated/types.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import { scaleOf, validateScale, withScale } from "../../../api/registry/index.ts";
import { conflict, invalid, resourceNotServed } from "../../../api/status.ts";
import { getObject } from "../resources/read.ts";
import { servedObject } from "../resources/resource.ts";
import { updateObject } from "../resources/update.ts";
import type { Action, ActionCall } from "./action.ts";

export const scaleAction: Action = {
  get: (call) => ({ code: 200, object: viewOf(call, servedObject(call.resource, getObject(call.resource, call.key))) }),
  update: async (call, change) => {
    const { resource, key, context } = call;
    const object = await updateObject(resource, {
      key,
      subresource: "",
      managedAs: "scale",
      context,
      change: (old) => {
        const wanted: Scale = change(viewOf(call, old));
        const { uid, resourceVersion } = wanted.metadata ?? {};
        const mistakes = validateScale(wanted);
        if (mistakes.length > 0) throw invalid({ group: "autoscaling", name: "Scale" }, key.name, mistakes);
        if (uid !== undefined && uid !== "" && uid !== old.metadata?.uid) {
          const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata?.uid ?? ""}`;
          throw conflict(resource.resourceName, key.name, why);
        }
        return withScale(resource.definition, old, resourceVersion === "" ? without(wanted) : wanted);
      },
    });
    return { code: 200, object: viewOf(call, object) };
  },
};

function viewOf({ resource }: ActionCall, object: KubernetesObject): Scale {
  const scale = scaleOf(resource.definition, object);
  if (scale === undefined) throw resourceNotServed();
  return scale;
}

/** No resource version means: whatever it is now. */
function without(scale: Scale): Scale {
  const { resourceVersion: _empty, ...metadata } = scale.metadata ?? {};
  return { ...scale, metadata };
}
