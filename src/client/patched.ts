/** Applies a client's patch to an object, as the fake server does it. */
import type { KubernetesObject } from "../api/object.ts";
import { badRequest } from "../api/status.ts";
import type { Patch } from "./api-client.ts";

export function patched(object: KubernetesObject, patch: Patch, kind: string): unknown {
  if (patch.type === "merge" || patch.type === "strategic") return merge(object, patch.body);
  throw badRequest(`the fake client cannot apply a ${patch.type} patch to a ${kind}`);
}

/** RFC 7386. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> =
    typeof target === "object" && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merge(result[name], value);
  }
  return result;
}
