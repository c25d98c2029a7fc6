import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch, PatchError } from "../../lib/patch/index.ts";
import { decodeObject } from "../decode/index.ts";
import type { Decoded, DecodeTarget, FieldValidation } from "../decode/index.ts";
import type { KubernetesObject } from "../object.ts";
import { badRequest, invalidPatch } from "../status.ts";
import { patchSchemaOf } from "./patch-schema.ts";

export { patchSchemaOf } from "./patch-schema.ts";

/** The three patches that say what to change. (Server-side apply, which says what should be, is another matter.) */
export type PatchType = "json" | "merge" | "strategic";

/** The content types of the three, and the one of server-side apply. */
export const patchContentTypes: Readonly<Record<string, PatchType | "apply">> = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
  "application/apply-patch+yaml": "apply",
};

/** `body` is parsed JSON; `validation` applies to what the patch brings in. */
export interface PatchRequest {
  readonly type: PatchType;
  readonly body: unknown;
  readonly validation: FieldValidation;
}

/**
 * What the patch makes of an object, decoded as its kind; defaults are not set yet. Throws `ApiError`: 400 for a patch
 * that cannot be read, 422 for one that does not fit the object.
 */
export function patchObject<T extends KubernetesObject>(
  target: DecodeTarget,
  object: T,
  { type, body, validation }: PatchRequest,
): Decoded<T> {
  try {
    return decodeObject<T>(target, { value: applied(target, object, { type, body }) }, validation);
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    throw error.isMalformed ? badRequest(error.message) : invalidPatch(error.message);
  }
}

function applied(target: DecodeTarget, object: unknown, { type, body }: Pick<PatchRequest, "type" | "body">): unknown {
  switch (type) {
    case "json":
      return applyJsonPatch(object, body);
    case "merge":
      if (typeof body !== "object" || body === null || Array.isArray(body)) {
        throw new PatchError("a merge patch must be an object", true);
      }
      return applyMergePatch(object, body);
    case "strategic":
      return applyStrategicMergePatch(object, body, patchSchemaOf(target.type));
    default:
      throw new Error("Cannot apply the patch: its type is of no known kind");
  }
}
