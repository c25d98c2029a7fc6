/** Creates the objects a new cluster comes with, and leaves those alone that are there: users may have changed them. */
import type { KubernetesObject } from "../api/object.ts";
import type { Registry } from "../api/registry/index.ts";
import type { ApiClient } from "../client/index.ts";

/** In the order given. Rejects with the first error other than AlreadyExists. */
export async function createMissing(
  objects: readonly KubernetesObject[],
  { client, registry }: { readonly client: ApiClient; readonly registry: Registry },
): Promise<void> {
  for (const object of objects) {
    const resource = registry.findKind(object.apiVersion ?? "", object.kind ?? "");
    if (resource === undefined) {
      throw new Error(`Cannot create ${object.kind ?? "an object"}: ${object.apiVersion} is not served`);
    }
    try {
      await client.create(resource, object);
    } catch (error) {
      if ((error as { readonly reason?: string }).reason !== "AlreadyExists") throw error;
    }
  }
}
