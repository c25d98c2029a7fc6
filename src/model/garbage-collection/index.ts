export { blocks, foregroundFinalizer, isWaitingForDependents, orphanFinalizer, planCollection } from "./plan.ts";
export type { OwnerState } from "./plan.ts";
