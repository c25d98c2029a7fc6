/** From the cluster's configuration to what the rules of one node need. */
import { type Cidr, parseCidr, parseIpAddress } from "../../lib/ip/index.ts";
import type { ClusterConfig, NodeConfig } from "../../model/cluster-config.ts";
import type { NodeNetwork } from "../../model/services/index.ts";

/** Host ends of pods' links begin with it (see `podLinkName`); no other link of a node does. */
const podInterfacePrefix = "v";

const cidrs = (texts: readonly string[]): readonly Cidr[] => texts.map((text) => parseCidr(text));

export function nodeNetwork(config: ClusterConfig, node: NodeConfig): NodeNetwork {
  return {
    name: node.name,
    addresses: node.addresses.map((address) => parseIpAddress(address)),
    podCidrs: cidrs(node.podCidrs),
    clusterCidrs: cidrs([...config.podCidrs, ...config.nodeCidrs]),
    serviceCidrs: cidrs(config.serviceCidrs),
    podInterfacePrefix,
  };
}
