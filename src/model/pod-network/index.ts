export { allocateAddress } from "./ipam.ts";
export { type NodeNetwork, planNodeNetwork } from "./node.ts";
export { isPodLinkName, lastGroupId, planPodNetwork, podLinkName } from "./pod.ts";
