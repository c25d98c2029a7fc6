export { nodeAffinity } from "./node-filters.ts";
export { podRequests } from "./resources.ts";
export { hostPortsCollide, hostPortsOf, nodeState, withPod } from "./node-state.ts";
export type { NodeState } from "./node-state.ts";
export { byImportance, planPreemption, priorityOf } from "./preemption.ts";
export { schedulePod } from "./schedule.ts";
export type { ClusterView } from "./view.ts";
export { volumesOfPod } from "./volumes.ts";
export type { PodVolumes } from "./volumes.ts";
