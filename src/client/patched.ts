/** Applies a client's patch to an object, as the fake server does it. */
import type { KubernetesObject, Resource } from "../api/object.ts";
import { patchSchemaOf } from "../api/patch/index.ts";
import { badRequest } from "../api/status.ts";
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch } from "../lib/patch/index.ts";
import type { Patch } from "./api-client.ts";

/** Where the name of the type is not the kind's. */
const typeNames: Readonly<Record<string, string>> = { Event: "CoreV1Event" };

export function patched(resource: Resource<KubernetesObject>, object: KubernetesObject, patch: Patch): unknown {
  switch (patch.type) {
    case "json":
      return applyJsonPatch(object, patch.body);
    case "merge":
      return applyMergePatch(object, patch.body);
    case "strategic":
      return applyStrategicMergePatch(object, patch.body, patchSchemaOf(typeNames[resource.kind] ?? resource.kind));
    case "apply":
      throw badRequest("the fake client cannot apply server-side");
    default:
      throw new Error("Cannot apply the patch: its type is of no known kind");
  }
}
