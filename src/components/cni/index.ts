export { type AttachedPod, createPodNetwork, type PodNetwork } from "./pod-network.ts";
