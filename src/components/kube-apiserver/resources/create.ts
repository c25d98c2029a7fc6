/** Creation: names, defaults, admission, allocation, validation, storage. */
import { randomUUID } from "node:crypto";
import { trackCreate } from "../../../api/apply/index.ts";
import { apiVersionOf } from "../../../api/object.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import { alreadyExists, ApiError, badRequest, generateNameConflict, invalid } from "../../../api/status.ts";
import { StorageError } from "../../../storage/index.ts";
import type { Stored } from "../../../storage/index.ts";
import { warn } from "./environment.ts";
import type { RequestContext } from "./environment.ts";
import { subjectOf } from "./subject.ts";
import { generatedName } from "./names.ts";
import { servedObject, storedForm, storeKeyOf } from "./resource.ts";
import type { ServedResource } from "./resource.ts";
import { withUniqueOwners } from "./owners.ts";
import { storageFailure } from "./storage-failure.ts";

/** As upstream: a name made up by the server is tried this often when it is taken. */
const nameAttempts = 8;

let lastTimestamp = { second: -1, text: "" };

/** Seconds precision, as every timestamp of the API. The last one is kept: a second has many writes. */
export function timestampOf(milliseconds: number): string {
  const second = Math.floor(milliseconds / 1000);
  if (second !== lastTimestamp.second) {
    lastTimestamp = { second, text: `${new Date(second * 1000).toISOString().slice(0, 19)}Z` };
  }
  return lastTimestamp.text;
}

export interface CreateRequest {
  readonly object: KubernetesObject;
  /** From the URL; "" for cluster-scoped resources. */
  readonly namespace: string;
  readonly context: RequestContext;
  /** The object comes from server-side apply and knows its owners. */
  readonly isApplied?: boolean;
}

/** The stored object as served. Throws `ApiError`. */
export async function createObject(resource: ServedResource, request: CreateRequest): Promise<KubernetesObject> {
  const { definition } = resource;
  const { name = "", generateName = "" } = request.object.metadata ?? {};
  const given = withUniqueOwners(withIdentity(resource, request), request.context, { isPatched: false });
  if (name !== "" || generateName === "") return createOnce(resource, given, request);
  for (let attempt = 1; ; attempt += 1) {
    const candidate = generatedName(generateName);
    try {
      return await createOnce(resource, { ...given, metadata: { ...given.metadata, name: candidate } }, request);
    } catch (error) {
      const isTaken = error instanceof Error && "reason" in error && error.reason === "AlreadyExists";
      if (!isTaken) throw error;
      if (attempt === nameAttempts) {
        throw generateNameConflict({ group: definition.group, name: definition.plural }, candidate, 1);
      }
    }
  }
}

async function createOnce(
  resource: ServedResource,
  given: KubernetesObject,
  { namespace, context, isApplied = false }: CreateRequest,
): Promise<KubernetesObject> {
  const { definition, environment, strategy } = resource;
  const name = given.metadata?.name ?? "";
  const admission = {
    operation: "CREATE" as const,
    definition,
    subresource: "",
    namespace,
    name,
    old: undefined,
    user: context.user,
    isDryRun: context.isDryRun,
    warnings: context.warnings,
    annotations: context.annotations,
  };
  const complete = definition.withDefaults(given);
  const writer = { name: context.fieldManager, now: timestampOf(environment.clock.now()) };
  const defaulted = isApplied ? complete : trackCreate(subjectOf(resource, ""), complete, writer);
  await environment.admission.before({ ...admission, object: defaulted }, defaulted);
  const admitted = environment.admission.mutate({ ...admission, object: defaulted }, defaulted);
  const key = storeKeyOf(resource, { ...(namespace === "" ? {} : { namespace }), name });
  const existing = name === "" ? undefined : environment.store.latest(key);
  if (existing !== undefined) throw taken(resource, existing.object);
  const prepared = definition.prepareForCreate(withSystemFields(resource, admitted));
  const { object, reservation } = strategy.prepare?.(prepared, context) ?? { object: prepared };
  try {
    const mistakes = definition.validate(object);
    if (mistakes.length > 0) throw invalid(resource.kindName, name, mistakes);
    warn(context, definition.warnings?.(object, undefined));
    environment.admission.validate({ ...admission, object });
    if (context.isDryRun) return object;
    return servedObject(resource, await store(resource, key, object));
  } finally {
    reservation?.release();
  }
}

function taken({ resourceName }: ServedResource, { metadata }: KubernetesObject): ApiError {
  const { status } = alreadyExists(resourceName, metadata?.name ?? "");
  if (metadata?.deletionTimestamp === undefined) return new ApiError(status);
  return new ApiError({ ...status, message: `object is being deleted: ${status.message ?? ""}` });
}

async function store(
  resource: ServedResource,
  key: ReturnType<typeof storeKeyOf>,
  object: KubernetesObject,
): Promise<Stored> {
  try {
    return await resource.environment.store.create(key, storedForm(resource, object));
  } catch (error) {
    if (error instanceof StorageError && error.code === "Exists") {
      throw alreadyExists(resource.resourceName, key.name);
    }
    throw storageFailure(error);
  }
}

/** Checks what the URL and the object say about the same thing, and fills in what only the URL says. */
function withIdentity({ definition }: ServedResource, { object, namespace }: CreateRequest): KubernetesObject {
  const metadata = object.metadata ?? {};
  if (definition.isNamespaced && metadata.namespace !== undefined && metadata.namespace !== "") {
    if (metadata.namespace !== namespace) {
      throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
    }
  }
  if (metadata.resourceVersion !== undefined && metadata.resourceVersion !== "") {
    throw badRequest("resourceVersion should not be set on objects to be created");
  }
  const { namespace: _given, ...rest } = metadata;
  return {
    ...object,
    apiVersion: apiVersionOf(definition),
    kind: definition.kind,
    metadata: { ...rest, ...(definition.isNamespaced ? { namespace } : {}) },
  };
}

function withSystemFields({ environment }: ServedResource, object: KubernetesObject): KubernetesObject {
  const {
    deletionTimestamp: _deletion,
    deletionGracePeriodSeconds: _grace,
    selfLink: _link,
    resourceVersion: _version,
    ...metadata
  } = object.metadata ?? {};
  const creationTimestamp = timestampOf(environment.clock.now());
  return { ...object, metadata: { ...metadata, uid: randomUUID(), creationTimestamp } };
}
