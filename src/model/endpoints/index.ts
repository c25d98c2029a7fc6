export { isMirrored, mirroringController, planMirror } from "./mirror.ts";
export { endpointsController, endpointsManagedByLabel, planEndpoints } from "./plan-endpoints.ts";
export { managedByLabel, planSlices, serviceNameLabel, sliceController } from "./plan-slices.ts";
export type { SliceWrites } from "./plan-slices.ts";
export { selectorMatches, selectsPods, serves } from "./service-pods.ts";
export { triggerTime } from "./trigger-time.ts";
export type { TriggerState } from "./trigger-time.ts";
