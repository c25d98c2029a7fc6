/** Deletion: at once, with a period of grace, or when the finalizers are done. */
import type { DeleteOptions } from "../../../api/generated/types.ts";
import { unsupportedValue } from "../../../api/field-error.ts";
import type { FieldError } from "../../../api/field-error.ts";
import type { KubernetesObject, ObjectKey } from "../../../api/object.ts";
import { conflict, invalid, notFound } from "../../../api/status.ts";
import { StorageError } from "../../../storage/index.ts";
import type { Stored } from "../../../storage/index.ts";
import { timestampOf } from "./create.ts";
import type { RequestContext } from "./environment.ts";
import { servedObject, storedForm, storeKeyOf } from "./resource.ts";
import type { ServedResource } from "./resource.ts";
import { storageFailure } from "./storage-failure.ts";

export interface DeleteRequest {
  readonly key: ObjectKey;
  readonly options: DeleteOptions;
  readonly context: RequestContext;
}

export interface Deletion {
  /** The last state, or the state that waits for its end. */
  readonly object: KubernetesObject;
  readonly isGone: boolean;
}

const attempts = 5;

/** Throws `ApiError`. */
export async function deleteObject(resource: ServedResource, request: DeleteRequest): Promise<Deletion> {
  const { store, admission } = resource.environment;
  const { key, context } = request;
  for (let attempt = 1; ; attempt += 1) {
    const stored = store.latest(storeKeyOf(resource, key));
    if (stored === undefined) throw notFound(resource.resourceName, key.name);
    checkPreconditions(resource, stored, request);
    admission.validate({
      operation: "DELETE",
      definition: resource.definition,
      subresource: "",
      namespace: key.namespace ?? "",
      name: key.name,
      object: undefined,
      old: servedObject(resource, stored),
      user: context.user,
      isDryRun: context.isDryRun,
      warnings: context.warnings,
      annotations: context.annotations,
    });
    try {
      return await deleteOnce(resource, stored, request);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      if (error.code === "NotFound") throw notFound(resource.resourceName, key.name);
      if (error.code !== "Conflict") throw storageFailure(error);
      if (attempt === attempts) throw conflict(resource.resourceName, key.name);
    }
  }
}

async function deleteOnce(
  resource: ServedResource,
  stored: Stored,
  { key, options, context }: DeleteRequest,
): Promise<Deletion> {
  const { store } = resource.environment;
  const old = servedObject(resource, stored);
  const marked = markedObject(resource, old, options);
  const storeKey = storeKeyOf(resource, key);
  if (marked === "gone") {
    if (!context.isDryRun) await store.delete(storeKey, stored.revision);
    return { object: old, isGone: true };
  }
  if (marked === old || context.isDryRun) return { object: marked, isGone: false };
  const written = await store.update(storeKey, storedForm(resource, marked), stored.revision);
  return { object: servedObject(resource, written), isGone: false };
}

/** The object as it waits for its end; the same object when nothing changes; "gone" when nothing holds it back. */
function markedObject(
  { environment, strategy }: ServedResource,
  object: KubernetesObject,
  options: DeleteOptions,
): KubernetesObject | "gone" {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, generation, ...metadata } = object.metadata ?? {};
  const wanted = strategy.gracePeriodSeconds?.(object, options) ?? 0;
  const isStopping = deletionTimestamp !== undefined;
  // A grace period that runs can only become shorter.
  const grace = isStopping ? Math.min(wanted, deletionGracePeriodSeconds) : wanted;
  const finalizers = finalizersAfter(metadata.finalizers ?? [], options);
  if (grace === 0 && finalizers.length === 0 && strategy.isHeld?.(object) !== true) return "gone";
  const isUnchanged =
    isStopping && grace === deletionGracePeriodSeconds && finalizers.length === (metadata.finalizers ?? []).length;
  if (isUnchanged) return object;
  const begun = isStopping
    ? Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000
    : environment.clock.now();
  const next = {
    ...object,
    metadata: {
      ...metadata,
      ...(generation === undefined ? {} : { generation: isStopping ? generation : generation + 1 }),
      deletionTimestamp: timestampOf(begun + grace * 1000),
      deletionGracePeriodSeconds: grace,
      ...(finalizers.length === 0 ? {} : { finalizers }),
    },
  };
  return strategy.markDeleted?.(next) ?? next;
}

/** The propagation policy speaks to the garbage collector through two finalizers. */
function finalizersAfter(finalizers: readonly string[], options: DeleteOptions): readonly string[] {
  const { orphanDependents, propagationPolicy } = options;
  const policy = propagationPolicy ?? (orphanDependents === true ? "Orphan" : undefined);
  if (policy === undefined && orphanDependents === undefined) return finalizers;
  const others = finalizers.filter((finalizer) => finalizer !== "orphan" && finalizer !== "foregroundDeletion");
  if (policy === "Orphan") return [...others, "orphan"];
  return policy === "Foreground" ? [...others, "foregroundDeletion"] : others;
}

function checkPreconditions(resource: ServedResource, stored: Stored, { key, options }: DeleteRequest): void {
  const { uid, resourceVersion } = options.preconditions ?? {};
  const { metadata = {} } = stored.object;
  if (uid !== undefined && uid !== metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid ?? ""})`;
    throw conflict(resource.kindName, key.name, `${why}. The object might have been deleted and then recreated`);
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const versions = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record`;
    const why = `${versions} (${metadata.resourceVersion ?? ""}). The object might have been modified`;
    throw conflict(resource.kindName, key.name, why);
  }
}

/** Throws `ApiError` 422 for options that contradict each other. */
export function checkDeleteOptions(options: DeleteOptions): void {
  const mistakes: FieldError[] = [];
  if (options.orphanDependents !== undefined && options.propagationPolicy !== undefined) {
    const body = `Invalid value: "${options.propagationPolicy}": orphanDependents and deletionPropagation cannot be both set`;
    mistakes.push({ type: "FieldValueInvalid" as const, field: "propagationPolicy", body });
  }
  const policies = ["Foreground", "Background", "Orphan"];
  if (options.propagationPolicy !== undefined && !policies.includes(options.propagationPolicy)) {
    const body = `Unsupported value: "${options.propagationPolicy}": supported values: "Foreground", "Background", "Orphan", "nil"`;
    mistakes.push({ type: "FieldValueNotSupported" as const, field: "propagationPolicy", body });
  }
  mistakes.push(...dryRunMistakes(options.dryRun ?? []));
  if (mistakes.length > 0) throw invalid({ group: "meta.k8s.io", name: "DeleteOptions" }, "", mistakes);
}

/** Of the options of any request that writes. */
export function dryRunMistakes(dryRun: readonly string[]): FieldError[] {
  return dryRun.every((mode) => mode === "All") ? [] : [unsupportedValue("dryRun", dryRun, ["All"])];
}
