/** `scale`: the number of replicas as an object of its own, the same for every workload. */
import {
  applyConfiguration,
  ownersOfParent,
  ownersOfScale,
  readConfiguration,
  trackUpdate,
} from "../../../api/apply/index.ts";
import type { Subject, Writer } from "../../../api/apply/index.ts";
import { decodeObject } from "../../../api/decode/index.ts";
import type { Scale } from "../../../api/generated/types.ts";
import { apiVersionOf } from "../../../api/object.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import { scaleOf, validateScale, withScale } from "../../../api/registry/index.ts";
import { badRequest, conflict, invalid, resourceNotServed } from "../../../api/status.ts";
import { timestampOf } from "../resources/create.ts";
import { getObject } from "../resources/read.ts";
import { servedObject } from "../resources/resource.ts";
import { nameless, otherUid, updateObject } from "../resources/update.ts";
import type { Action, ActionCall, ActionResult } from "./action.ts";

const kind = { group: "autoscaling", version: "v1", kind: "Scale", type: "Scale" } as const;

/** A Scale is written whole, and through one version. */
const subject: Subject = {
  type: kind.type,
  apiVersion: apiVersionOf(kind),
  subresource: "scale",
  hasStatus: false,
  inVersion: (object, apiVersion) => (apiVersion === apiVersionOf(kind) ? { type: kind.type, object } : undefined),
};

export const scaleAction: Action = {
  get: (call) => ({ code: 200, object: viewOf(call, servedObject(call.resource, getObject(call.resource, call.key))) }),
  update: (call, change) =>
    rescale(call, (live, writer) => {
      const wanted = change(live);
      return trackUpdate(subject, { live, wanted }, writer);
    }),
  apply: (call, { body, isForced }) => {
    const configuration = readConfiguration(kind, body);
    return rescale(call, (live, writer) => {
      const applied = applyConfiguration(subject, { live, configuration, isForced, writer });
      return applied === live ? live : decodeObject(kind, { value: applied }, "Ignore").object;
    });
  },
};

/** `change` works on Scales that carry who owns the number of replicas; the workload keeps it beside its other owners. */
async function rescale(
  call: ActionCall,
  change: (live: Scale, writer: Writer) => KubernetesObject,
): Promise<ActionResult> {
  const { resource, key, context } = call;
  const { definition, environment } = resource;
  const { group, plural } = definition.storage;
  const versions = {
    own: apiVersionOf(definition),
    served: new Set(environment.servedFrom(group, plural).map((one) => apiVersionOf(one))),
  };
  const object = await updateObject(resource, {
    key,
    subresource: "",
    context,
    isApplied: true,
    change: (old) => {
      const view = viewOf(call, old);
      const managedFields = ownersOfScale(old, versions);
      const live: Scale =
        managedFields === undefined ? view : { ...view, metadata: { ...view.metadata, managedFields } };
      const writer = { name: context.fieldManager, now: timestampOf(environment.clock.now()) };
      const wanted: Scale = change(live, writer);
      if (wanted === live) return old;
      checkScale(call, { old, wanted });
      const { replicas = 0 } = wanted.spec ?? {};
      const rescaled = withScale(definition, old, { replicas, resourceVersion: wanted.metadata?.resourceVersion });
      return { ...rescaled, metadata: { ...rescaled.metadata, ...ownersOfParent(old, wanted, versions) } };
    },
  });
  return { code: 200, object: viewOf(call, object) };
}

function checkScale(
  { resource, key }: ActionCall,
  { old, wanted }: { readonly old: KubernetesObject; readonly wanted: Scale },
): void {
  const { name = "", namespace = "", uid = "" } = wanted.metadata ?? {};
  if (name === "") throw nameless(key.name);
  if (name !== key.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${key.name})`);
  }
  if (namespace !== "" && namespace !== key.namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  const mistakes = validateScale(wanted);
  if (mistakes.length > 0) throw invalid({ group: "autoscaling", name: "Scale" }, key.name, mistakes);
  if (uid !== "" && uid !== old.metadata?.uid) {
    throw conflict(
      resource.resourceName,
      key.name,
      otherUid(resource, { key, wanted: uid, found: old.metadata?.uid ?? "" }),
    );
  }
}

function viewOf({ resource }: ActionCall, object: KubernetesObject): Scale {
  const scale = scaleOf(resource.definition, object);
  if (scale === undefined) throw resourceNotServed();
  return scale;
}
