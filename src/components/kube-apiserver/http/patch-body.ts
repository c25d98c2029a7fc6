/** Decodes patches. */
import type { KubernetesObject } from "../../../api/object.ts";
import type { ResourceDefinition } from "../../../api/registry/index.ts";
import { unsupportedMediaType } from "../../../api/status.ts";
import type { Patch } from "../../../client/index.ts";
import { changeOfPatch } from "../resources/patch.ts";
import { mediaTypeOf } from "./body.ts";
import type { DecodeContext } from "./body.ts";
import type { HttpRequest } from "./exchange.ts";

const types: Readonly<Record<string, Patch["type"]>> = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
  "application/apply-patch+yaml": "apply",
};

/** What the patch in the body makes of an object. Throws `ApiError` 400 or 415. */
export async function decodePatch(
  definition: ResourceDefinition,
  { request, bytes }: { readonly request: HttpRequest; readonly bytes: Buffer },
  _context: DecodeContext,
): Promise<(old: KubernetesObject) => KubernetesObject> {
  const type = types[mediaTypeOf(request)];
  if (type === undefined) throw unsupportedMediaType(Object.keys(types));
  return changeOfPatch(definition, { type, body: JSON.parse(bytes.toString()) as unknown });
}
