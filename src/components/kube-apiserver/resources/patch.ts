/** What a patch makes of an object. */
import type { KubernetesObject } from "../../../api/object.ts";
import type { ResourceDefinition } from "../../../api/registry/index.ts";
import { unsupportedMediaType } from "../../../api/status.ts";
import type { Patch } from "../../../client/index.ts";

/** Throws `ApiError` 400 or 422 for a patch that does not fit. */
export function changeOfPatch(
  _definition: ResourceDefinition,
  _patch: Patch,
): (old: KubernetesObject) => KubernetesObject {
  throw unsupportedMediaType([]);
}
