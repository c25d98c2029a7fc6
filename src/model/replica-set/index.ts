export { deletionOrder } from "./deletion-order.ts";
export { planReplicaSet, replicaSetStatus } from "./plan.ts";
export type { Failure } from "./plan.ts";
