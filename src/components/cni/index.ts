export { createPodNetwork, type PodNetwork, removePodNetworks, removeUnknownPodNetworks } from "./pod-network.ts";
export type { AttachedPod } from "./types.ts";
