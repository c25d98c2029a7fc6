export { createPodNetwork, type PodNetwork, removePodNetworks } from "./pod-network.ts";
export type { AttachedPod } from "./types.ts";
