export { applyJsonPatch, jsonPatchOperationLimit } from "./json-patch.ts";
export { PatchError } from "./json-value.ts";
export { applyMergePatch } from "./merge-patch.ts";
export { applyStrategicMergePatch } from "./strategic-merge.ts";
export type { PatchField, PatchSchema } from "./strategic-merge.ts";
