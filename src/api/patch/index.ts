import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch, PatchError } from "../../lib/patch/index.ts";
import { decodeParsed, notRegistered, UndecodableError } from "../decode/index.ts";
import type { Decoded, DecodeTarget, FieldValidation } from "../decode/index.ts";
import { invalidValue } from "../field-error.ts";
import { goText, jsonOf } from "../go-text.ts";
import { apiVersionOf } from "../object.ts";
import type { KubernetesObject } from "../object.ts";
import { badRequest, invalid, invalidPatch } from "../status.ts";
import type { ApiError } from "../status.ts";
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
  /** What was wrong with the patch's text: keys given twice. */
  readonly complaints?: readonly string[];
}

/**
 * What the patch makes of an object, decoded as its kind; defaults are not set yet. Throws `ApiError`: 400 for a patch
 * that cannot be read, 422 for one that does not fit the object.
 */
export function patchObject<T extends KubernetesObject>(
  target: DecodeTarget,
  object: T,
  { type, body, validation, complaints = [] }: PatchRequest,
): Decoded<T> {
  let patched: unknown;
  try {
    patched = applied(target, object, { type, body });
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    throw error.isMalformed ? badRequest(error.message) : invalidPatch(error.message);
  }
  try {
    checkKind(target, patched);
    return decodeParsed<T>(target, { value: patched, complaints }, validation);
  } catch (error) {
    if (!(error instanceof UndecodableError)) throw error;
    throw unfitting(type === "strategic" ? goText(body) : jsonOf(patched), error);
  }
}

function applied(target: DecodeTarget, object: unknown, { type, body }: Pick<PatchRequest, "type" | "body">): unknown {
  switch (type) {
    case "json":
      return applyJsonPatch(object, body);
    case "merge":
      return applyMergePatch(object, patchMap(body, "error decoding patch: "));
    case "strategic": {
      // It cannot change what the object is.
      const { apiVersion: _version, kind: _kind, ...patch } = patchMap(body, "");
      return applyStrategicMergePatch(object, patch, patchSchemaOf(target.type));
    }
    default:
      throw new Error("Cannot apply the patch: its type is of no known kind");
  }
}

function patchMap(body: unknown, prefix: string): Readonly<Record<string, unknown>> {
  if (body === null) throw new PatchError("Invalid JSON Patch", true);
  if (typeof body === "object" && !Array.isArray(body)) return body as Readonly<Record<string, unknown>>;
  const type = Array.isArray(body) ? "array" : typeof body === "boolean" ? "bool" : typeof body;
  throw new PatchError(`${prefix}json: cannot unmarshal ${type} into Go value of type map[string]interface {}`, true);
}

function checkKind(target: DecodeTarget, patched: unknown): void {
  if (typeof patched !== "object" || patched === null || Array.isArray(patched)) {
    throw invalidPatch("the patched document is no object");
  }
  const { apiVersion, kind } = patched as { readonly apiVersion?: unknown; readonly kind?: unknown };
  const isAnother = (given: unknown, expected: string): boolean =>
    typeof given === "string" && given !== "" && given !== expected;
  const expected = apiVersionOf(target);
  if (!isAnother(apiVersion, expected) && !isAnother(kind, target.kind)) return;
  throw new UndecodableError(notRegistered(String(kind), String(apiVersion)));
}

/** Upstream shows the whole document, or the patch where that is merged field by field. */
function unfitting(shown: string, { message }: UndecodableError): ApiError {
  return invalid({ group: "", name: "" }, "", [invalidValue("patch", shown, message)]);
}
