export { podFromTemplate, planReplicaSet, replicaSetStatus } from "./plan.ts";
export type { Failure } from "./plan.ts";
