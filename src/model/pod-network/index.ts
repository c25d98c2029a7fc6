export { allocateAddress, NoFreeAddressError } from "./ipam.ts";
export { type NodeNetwork, planNodeNetwork } from "./node.ts";
export { isPodLinkName, planPodNetwork, podLinkName, type PodNetwork } from "./pod.ts";
