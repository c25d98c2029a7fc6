/** Changing what exists: PUT and PATCH, of the object and of its subresources. */
import { trackUpdate } from "../../../api/apply/index.ts";
import { apiVersionOf } from "../../../api/object.ts";
import type { KubernetesObject, ObjectKey } from "../../../api/object.ts";
import { invalidValue } from "../../../api/field-error.ts";
import { badRequest, conflict, invalid, notFound } from "../../../api/status.ts";
import type { ApiError } from "../../../api/status.ts";
import { StorageError } from "../../../storage/index.ts";
import type { Stored } from "../../../storage/index.ts";
import { isJsonEqual } from "../../../lib/equal/index.ts";
import { createObject, timestampOf } from "./create.ts";
import { warn } from "./environment.ts";
import type { RequestContext } from "./environment.ts";
import { servedObject, storedForm, storeKeyOf } from "./resource.ts";
import type { ServedResource } from "./resource.ts";
import { subjectOf } from "./subject.ts";
import { withUniqueOwners } from "./owners.ts";
import { storageFailure } from "./storage-failure.ts";

export interface UpdateRequest {
  readonly key: ObjectKey;
  /** "" for the object itself. */
  readonly subresource: string;
  /** Gives the wanted object; called again when the stored one changed in between. */
  readonly change: (old: KubernetesObject) => KubernetesObject;
  readonly context: RequestContext;
  /** What `change` gives knows its owners already. */
  readonly isApplied?: boolean;
  /** PUT: the object has to say its name, and may name its uid as a precondition. */
  readonly isReplacement?: boolean;
}

/** How often a change without a resource version is tried on top of others' writes. */
const attempts = 5;

/** The new state as served. Throws `ApiError`. */
export async function updateObject(resource: ServedResource, request: UpdateRequest): Promise<KubernetesObject> {
  const { store } = resource.environment;
  for (let attempt = 1; ; attempt += 1) {
    const stored = store.latest(storeKeyOf(resource, request.key));
    if (stored === undefined) throw notFound(resource.resourceName, request.key.name);
    try {
      return await updateOnce(resource, stored, request);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      if (error.code === "NotFound") throw notFound(resource.resourceName, request.key.name);
      if (error.code !== "Conflict") throw storageFailure(error);
      if (attempt === attempts) throw conflict(resource.resourceName, request.key.name);
    }
  }
}

/** Like `updateObject`, for PUT: some kinds are created when they are not there. */
export async function createOnUpdate(
  resource: ServedResource,
  request: UpdateRequest,
): Promise<{ readonly object: KubernetesObject; readonly isCreated: boolean }> {
  const { key, context } = request;
  const exists = resource.environment.store.latest(storeKeyOf(resource, key)) !== undefined;
  if (exists || resource.strategy.createsOnUpdate !== true || request.subresource !== "") {
    return { object: await updateObject(resource, { ...request, isReplacement: true }), isCreated: false };
  }
  const wanted = request.change({});
  checkIdentity(resource, { key, old: {}, wanted, isReplaced: true });
  const object = { ...wanted, metadata: { ...wanted.metadata, name: key.name } };
  const created = await createObject(resource, { object, namespace: key.namespace ?? "", context });
  return { object: created, isCreated: true };
}

async function updateOnce(
  resource: ServedResource,
  stored: Stored,
  { key, subresource, change, context, isApplied = false, isReplacement = false }: UpdateRequest,
): Promise<KubernetesObject> {
  const { definition, environment, strategy } = resource;
  const old = servedObject(resource, stored);
  const wanted = withUniqueOwners(change(old), context, { isPatched: !isReplacement });
  checkIdentity(resource, { key, old, wanted, isReplaced: isReplacement });
  const complete = definition.withDefaults(withKeptFields(resource, wanted, old));
  const writer = { name: context.fieldManager, now: timestampOf(environment.clock.now()) };
  const defaulted = isApplied
    ? complete
    : trackUpdate(subjectOf(resource, subresource), { live: old, wanted: complete }, writer);
  const admission = {
    operation: "UPDATE" as const,
    definition,
    subresource,
    namespace: key.namespace ?? "",
    name: key.name,
    old,
    user: context.user,
    isDryRun: context.isDryRun,
    warnings: context.warnings,
    annotations: context.annotations,
  };
  const admitted = environment.admission.mutate({ ...admission, object: defaulted }, defaulted);
  const next = definition.prepareForUpdate(admitted, { old, subresource });
  const isWhole = subresource === "";
  const prepared = isWhole ? strategy.prepare?.(next, { old, isDryRun: context.isDryRun }) : undefined;
  const { object, reservation } = prepared ?? { object: next };
  try {
    const mistakes = definition.validateUpdate(object, { old, subresource });
    if (mistakes.length > 0) throw invalid(resource.kindName, key.name, mistakes);
    if (isWhole) warn(context, definition.warnings?.(object, old));
    environment.admission.validate({ ...admission, object });
    const written = storedForm(resource, object);
    if (context.isDryRun || isJsonEqual(written, stored.object)) return object;
    const storeKey = storeKeyOf(resource, key);
    if (isReleased(resource, object)) {
      await environment.store.delete(storeKey, stored.revision);
      return object;
    }
    return servedObject(resource, await environment.store.update(storeKey, written, stored.revision));
  } finally {
    reservation?.release();
  }
}

interface Identity {
  readonly key: ObjectKey;
  readonly old: KubernetesObject;
  readonly wanted: KubernetesObject;
  readonly isReplaced: boolean;
}

function checkIdentity(resource: ServedResource, { key, old, wanted, isReplaced }: Identity): void {
  const { definition, resourceName, kindName } = resource;
  const { name = "", namespace = "", resourceVersion = "", uid = "" } = wanted.metadata ?? {};
  if (name === "" && isReplaced) throw nameless(key.name);
  if (name !== "" && name !== key.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${key.name})`);
  }
  if (definition.isNamespaced && namespace !== "" && namespace !== key.namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  if (uid !== "" && uid !== old.metadata?.uid) {
    if (!isReplaced) throw invalid(kindName, key.name, [invalidValue("metadata.uid", uid, "field is immutable")]);
    throw conflict(resourceName, key.name, otherUid(resource, { key, wanted: uid, found: old.metadata?.uid ?? "" }));
  }
  if (resourceVersion !== "" && resourceVersion !== "0" && resourceVersion !== old.metadata?.resourceVersion) {
    throw conflict(resourceName, key.name);
  }
}

/** PUT of an object without a name: upstream does not take it from the URL. */
export function nameless(name: string): ApiError {
  return badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
}

/** Upstream tells where its store keeps the object. */
export function otherUid(
  { definition }: ServedResource,
  { key, wanted, found }: { readonly key: ObjectKey; readonly wanted: string; readonly found: string },
): string {
  const { plural } = definition.storage;
  const path = [places[plural] ?? plural, ...(key.namespace === undefined ? [] : [key.namespace]), key.name].join("/");
  const why = `Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${found}`;
  return `StorageError: invalid object, Code: 4, Key: /registry/${path}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`;
}

/** Where upstream's store has other names than the API. */
const places: Readonly<Record<string, string>> = {
  endpoints: "services/endpoints",
  ingresses: "ingress",
  nodes: "minions",
  replicationcontrollers: "controllers",
  services: "services/specs",
};

/** What no client changes is the old object's. */
function withKeptFields(
  { definition }: ServedResource,
  wanted: KubernetesObject,
  old: KubernetesObject,
): KubernetesObject {
  const {
    uid: _uid,
    creationTimestamp: _created,
    deletionTimestamp: _deletion,
    deletionGracePeriodSeconds: _grace,
    selfLink: _link,
    generation: _generation,
    generateName: _generateName,
    ...free
  } = wanted.metadata ?? {};
  const kept = old.metadata ?? {};
  return {
    ...wanted,
    apiVersion: apiVersionOf(definition),
    kind: definition.kind,
    metadata: {
      ...free,
      ...defined("name", kept.name),
      ...defined("generateName", kept.generateName),
      ...defined("namespace", kept.namespace),
      ...defined("uid", kept.uid),
      ...defined("resourceVersion", kept.resourceVersion),
      ...defined("generation", kept.generation),
      ...defined("creationTimestamp", kept.creationTimestamp),
      ...defined("deletionTimestamp", kept.deletionTimestamp),
      ...defined("deletionGracePeriodSeconds", kept.deletionGracePeriodSeconds),
    },
  };
}

function defined<Name extends string, Value>(name: Name, value: Value | undefined): { readonly [key in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [key in Name]?: Value };
}

/** A deleted object whose last finalizer went leaves with this write. */
function isReleased({ strategy }: ServedResource, object: KubernetesObject): boolean {
  const { deletionTimestamp, finalizers = [], deletionGracePeriodSeconds = 0 } = object.metadata ?? {};
  if (deletionTimestamp === undefined || finalizers.length > 0 || deletionGracePeriodSeconds > 0) return false;
  return strategy.isHeld?.(object) !== true;
}
