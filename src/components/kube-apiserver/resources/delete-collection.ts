/** Deletion of everything a selection means. */
import { ApiError } from "../../../api/status.ts";
import { deleteObject } from "./delete.ts";
import type { DeleteRequest } from "./delete.ts";
import { listObjects } from "./read.ts";
import type { ListRequest, ListResult } from "./read.ts";
import type { ServedResource } from "./resource.ts";

/** Deletes one after the other and answers what it found. What vanished in between is as good as deleted. */
export async function deleteCollection(
  resource: ServedResource,
  request: Omit<DeleteRequest, "key"> & { readonly selection: ListRequest },
): Promise<ListResult> {
  const list = listObjects(resource, request.selection);
  for (const { key } of list.items) {
    const objectKey = key.namespace === "" ? { name: key.name } : { namespace: key.namespace, name: key.name };
    try {
      await deleteObject(resource, { key: objectKey, options: request.options, context: request.context });
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 404)) throw error;
    }
  }
  return list;
}
