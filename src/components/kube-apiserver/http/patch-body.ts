/** Decodes patches. */
import { JsonTextError, parseJsonText } from "../../../api/decode/index.ts";
import type { DecodeTarget } from "../../../api/decode/index.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import { patchContentTypes } from "../../../api/patch/index.ts";
import { badRequest, unsupportedMediaType } from "../../../api/status.ts";
import { changeOfPatch } from "../resources/patch.ts";
import { mediaTypeOf, validationOf } from "./body.ts";
import type { DecodeContext } from "./body.ts";
import type { HttpRequest } from "./exchange.ts";

/** Is the body a configuration to apply, instead of a patch that says what to change? */
export function isApply(request: HttpRequest): boolean {
  const mediaType = mediaTypeOf(request);
  return Object.hasOwn(patchContentTypes, mediaType) && patchContentTypes[mediaType] === "apply";
}

/** An applied configuration. Throws `ApiError` 400. */
export async function decodeConfiguration(bytes: Buffer): Promise<unknown> {
  const text = bytes.toString();
  try {
    // Most clients send JSON, which is YAML too but much faster read.
    if (text.startsWith("{")) return JSON.parse(text);
  } catch {
    // Then it is YAML in braces, or neither.
  }
  const { parse } = await import("yaml");
  try {
    return parse(text, { maxAliasCount: 100 });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw badRequest(`error decoding YAML: error converting YAML to JSON: ${why}`);
  }
}

/** What the patch in the body makes of an object. Throws `ApiError` 400 or 415. */
export function decodePatch(
  target: DecodeTarget,
  { request, bytes }: { readonly request: HttpRequest; readonly bytes: Buffer },
  { query, warnings }: DecodeContext,
): (old: KubernetesObject) => KubernetesObject {
  const mediaType = mediaTypeOf(request);
  const type = Object.hasOwn(patchContentTypes, mediaType) ? patchContentTypes[mediaType] : undefined;
  if (type === undefined) throw unsupportedMediaType(Object.keys(patchContentTypes));
  const body = type === "apply" ? undefined : parsed(bytes.toString());
  return changeOfPatch(target, { type, body }, { validation: validationOf(query), warnings });
}

function parsed(text: string): unknown {
  try {
    return parseJsonText(text, false).value;
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    throw badRequest(`error decoding patch: ${error.message}`);
  }
}
