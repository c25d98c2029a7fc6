export { type AttachedPod, createPodNetwork, type PodNetwork, type PodNetworkOptions } from "./pod-network.ts";
