/** Decodes patches. */
import { own } from "../../../lib/own/index.ts";
import { duplicateField, JsonTextError, parseJsonText } from "../../../api/decode/index.ts";
import type { DecodeTarget, JsonText } from "../../../api/decode/index.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import { patchContentTypes } from "../../../api/patch/index.ts";
import { badRequest, mediaTypeUnsupported, requestEntityTooLarge } from "../../../api/status.ts";
import type { Patch } from "../../../client/index.ts";
import { jsonPatchOperationLimit } from "../../../lib/patch/index.ts";
import { changeOfPatch } from "../resources/patch.ts";
import { mediaTypeOf } from "./body.ts";
import type { DecodeContext } from "./body.ts";
import type { HttpRequest } from "./exchange.ts";
import { parseYaml, YamlTextError } from "./yaml-text.ts";

/** Is the body a configuration to apply, instead of a patch that says what to change? */
export function isApply(request: HttpRequest): boolean {
  return own(patchContentTypes, mediaTypeOf(request)) === "apply";
}

/** An applied configuration. Throws `ApiError` 400. */
export async function decodeConfiguration(bytes: Buffer, { validation, warnings }: DecodeContext): Promise<unknown> {
  const text = bytes.toString();
  try {
    // Most clients send JSON, which is YAML too but much faster read.
    if (text.startsWith("{")) return JSON.parse(text);
  } catch {
    // Then it is YAML in braces, or neither.
  }
  try {
    const { value, duplicates } = await parseYaml(text);
    if (validation === "Strict" && duplicates.length > 0) {
      const why = `yaml: unmarshal errors:\n  ${duplicates.join("\n  ")}`;
      throw badRequest(`error strict decoding YAML: error converting YAML to JSON: ${why}`);
    }
    if (validation === "Warn") warnings.push(...duplicates);
    return value;
  } catch (error) {
    if (!(error instanceof YamlTextError)) throw error;
    throw badRequest(`error decoding YAML: error converting YAML to JSON: ${error.message}`);
  }
}

/** What the patch in the body makes of an object. Throws `ApiError` 400 or 415. */
export function decodePatch(
  target: DecodeTarget,
  { request, bytes }: { readonly request: HttpRequest; readonly bytes: Buffer },
  { validation, warnings }: DecodeContext,
): (old: KubernetesObject) => KubernetesObject {
  const mediaType = mediaTypeOf(request);
  const type = own(patchContentTypes, mediaType);
  if (type === undefined) throw mediaTypeUnsupported();
  const { value: body, duplicates } = parsed(bytes.toString(), type);
  if (type === "json" && Array.isArray(body) && body.length > jsonPatchOperationLimit) {
    const most = `The allowed maximum operations in a JSON patch is ${jsonPatchOperationLimit}`;
    throw requestEntityTooLarge(`${most}, got ${body.length}`);
  }
  const complaints = duplicates.map((path) => `${type === "json" ? "json patch " : ""}${duplicateField(path)}`);
  return changeOfPatch(target, { type, body }, { validation, warnings, complaints });
}

function parsed(text: string, type: Patch["type"]): JsonText {
  if (type === "apply") return { value: undefined, duplicates: [] };
  try {
    return parseJsonText(text, true);
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    throw badRequest(type === "strategic" ? error.message : `error decoding patch: ${error.message}`);
  }
}
