/** What a patch makes of an object. */
import type { DecodeTarget, FieldValidation } from "../../../api/decode/index.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import { patchObject } from "../../../api/patch/index.ts";
import { mediaTypeUnsupported } from "../../../api/status.ts";
import type { Patch } from "../../../client/index.ts";

export interface PatchOptions {
  readonly validation: FieldValidation;
  readonly warnings: string[];
  /** What was wrong with the patch's text. */
  readonly complaints?: readonly string[];
}

/** Throws `ApiError` 415 for server-side apply; the returned function throws 400 or 422 for a patch that does not fit. */
export function changeOfPatch(
  target: DecodeTarget,
  { type, body }: Patch,
  { validation, warnings, complaints = [] }: PatchOptions,
): (old: KubernetesObject) => KubernetesObject {
  if (type === "apply") throw mediaTypeUnsupported();
  return (old) => {
    const patched = patchObject(target, old, { type, body, validation, complaints });
    // A second attempt says the same again.
    for (const warning of patched.warnings) if (!warnings.includes(warning)) warnings.push(warning);
    return patched.object;
  };
}
