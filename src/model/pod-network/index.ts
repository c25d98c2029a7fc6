export { allocateAddress } from "./ipam.ts";
export { planNodeNetwork } from "./node.ts";
export type { NodeNetwork } from "./node-network.ts";
export { isPodLinkName, planPodNetwork, podLinkName } from "./pod.ts";
export { vxlanEndAddress, vxlanMtu } from "./vxlan.ts";
