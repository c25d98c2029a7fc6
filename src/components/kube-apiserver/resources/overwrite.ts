/** A change the server itself makes to a stored object, past the rules for clients. */
import type { KubernetesObject, ObjectKey } from "../../../api/object.ts";
import { conflict, notFound } from "../../../api/status.ts";
import { StorageError } from "../../../storage/index.ts";
import { servedObject, storedForm, storeKeyOf } from "./resource.ts";
import type { ServedResource } from "./resource.ts";
import { storageFailure } from "./storage-failure.ts";

/** Writes what `change` makes of the newest state; it may throw `ApiError`. */
export async function overwriteObject(
  resource: ServedResource,
  key: ObjectKey,
  { change, isDryRun }: { readonly change: (old: KubernetesObject) => KubernetesObject; readonly isDryRun: boolean },
): Promise<KubernetesObject> {
  const { store } = resource.environment;
  const storeKey = storeKeyOf(resource, key);
  const stored = store.latest(storeKey);
  if (stored === undefined) throw notFound(resource.resourceName, key.name);
  const next = change(servedObject(resource, stored));
  if (isDryRun) return next;
  try {
    return servedObject(resource, await store.update(storeKey, storedForm(resource, next), stored.revision));
  } catch (error) {
    if (error instanceof StorageError && error.code === "NotFound") throw notFound(resource.resourceName, key.name);
    if (error instanceof StorageError && error.code === "Conflict") throw conflict(resource.resourceName, key.name);
    throw storageFailure(error);
  }
}
