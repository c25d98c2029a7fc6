export { blocks, foregroundFinalizer, isWaitingForDependents, orphanFinalizer, planCollection } from "./plan.ts";
export type { CollectionPlan, OwnerState } from "./plan.ts";
