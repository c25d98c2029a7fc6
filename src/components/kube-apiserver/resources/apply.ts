/** Server-side apply: creates what is not there, and changes what is to what the configuration says. */
import { applyConfiguration, readConfiguration } from "../../../api/apply/index.ts";
import { decodeObject } from "../../../api/decode/index.ts";
import type { KubernetesObject, ObjectKey } from "../../../api/object.ts";
import { ApiError, badRequest, conflict, notFound } from "../../../api/status.ts";
import { createObject, timestampOf } from "./create.ts";
import type { RequestContext } from "./environment.ts";
import { storeKeyOf } from "./resource.ts";
import type { ServedResource } from "./resource.ts";
import { subjectOf } from "./subject.ts";
import { updateObject } from "./update.ts";

export interface ApplyCall {
  readonly key: ObjectKey;
  /** "" for the object itself. */
  readonly subresource: string;
  /** As parsed from the body. */
  readonly body: unknown;
  readonly isForced: boolean;
  readonly context: RequestContext;
  /** Throws when the user may not create. */
  requireCreate(): void;
}

export interface Applied {
  readonly object: KubernetesObject;
  readonly isCreated: boolean;
}

/** How often it starts over when others create and delete the object in between. */
const attempts = 5;

/** Throws `ApiError`: 400 and 500 for a configuration that cannot be read, 409 for fields of others, and what writing throws. */
export async function applyObject(resource: ServedResource, call: ApplyCall): Promise<Applied> {
  const { definition, environment } = resource;
  const configuration = readConfiguration(definition, call.body);
  const { key, subresource, context } = call;
  const write = (live: KubernetesObject | undefined): KubernetesObject => {
    const writer = { name: context.fieldManager, now: timestampOf(environment.clock.now()) };
    const subject = subjectOf(resource, subresource);
    const applied = applyConfiguration(subject, { live, configuration, isForced: call.isForced, writer });
    return applied === live ? live : decodeObject(definition, { value: applied }, "Ignore").object;
  };
  for (let attempt = 1; ; attempt += 1) {
    const exists = environment.store.latest(storeKeyOf(resource, key)) !== undefined;
    try {
      if (exists) {
        const object = await updateObject(resource, { key, subresource, change: write, context, isApplied: true });
        return { object, isCreated: false };
      }
      if (subresource !== "") throw notFound(resource.resourceName, key.name);
      call.requireCreate();
      const object = namedAsAsked(resource, key, write(undefined));
      const namespace = key.namespace ?? "";
      return { object: await createObject(resource, { object, namespace, context, isApplied: true }), isCreated: true };
    } catch (error) {
      const isRace = error instanceof ApiError && error.reason === (exists ? "NotFound" : "AlreadyExists");
      if (!isRace || attempt === attempts) throw error;
    }
  }
}

/** The object under the URL's name, which it may leave out. */
function namedAsAsked(resource: ServedResource, key: ObjectKey, object: KubernetesObject): KubernetesObject {
  const { name = "", uid = "", generateName: _generateName, ...metadata } = object.metadata ?? {};
  if (name !== "" && name !== key.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${key.name})`);
  }
  if (uid !== "") {
    const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw conflict(resource.resourceName, key.name, why);
  }
  return { ...object, metadata: { ...metadata, name: key.name } };
}
