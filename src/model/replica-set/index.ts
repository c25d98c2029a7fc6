export { podFromTemplate, planReplicaSet, replicaSetStatus } from "./plan.ts";
export type { Failure, ReplicaSetInput, ReplicaSetPlan } from "./plan.ts";
