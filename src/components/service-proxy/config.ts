/** From the cluster's configuration to what the rules of one node need. */
import { type Cidr, parseCidr, parseIpAddress } from "../../lib/ip/index.ts";
import type { ClusterConfig, NodeConfig } from "../../model/cluster-config.ts";
import { vxlanEndAddress } from "../../model/pod-network/index.ts";
import type { NodeNetwork } from "../../model/services/index.ts";

/** Host ends of pods' links begin with it (see `podLinkName`); no other link of a node does. */
const podInterfacePrefix = "v";

const cidrs = (texts: readonly string[]): readonly Cidr[] => texts.map((text) => parseCidr(text));

export function nodeNetwork(config: ClusterConfig, node: NodeConfig): NodeNetwork {
  const isWrapped = config.network === "vxlan";
  return {
    name: node.name,
    addresses: node.addresses.map((address) => parseIpAddress(address)),
    podCidrs: cidrs(node.podCidrs),
    // An overlay is there because the node network does not carry pods' addresses.
    clusterCidrs: cidrs(isWrapped ? config.podCidrs : [...config.podCidrs, ...config.nodeCidrs]),
    serviceCidrs: cidrs(config.serviceCidrs),
    ...(isWrapped
      ? { overlay: { addresses: cidrs(node.podCidrs).map(vxlanEndAddress), podCidrs: cidrs(config.podCidrs) } }
      : {}),
    podInterfacePrefix,
  };
}
