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
