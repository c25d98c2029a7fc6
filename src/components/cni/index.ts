export { createPodNetwork, type PodNetwork } from "./pod-network.ts";
export type { AttachedPod } from "./types.ts";
