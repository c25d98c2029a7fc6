/** From the cluster's configuration to what the rules of one node need. */
import { parseCidr, parseIpAddress } from "../../lib/ip/index.ts";
import type { ClusterConfig, NodeConfig } from "../../model/cluster-config.ts";
import type { NodeNetwork } from "../../model/services/index.ts";

/** Host ends of pods' links begin with it (see `podLinkName`); no other link of a node does. */
const podInterfacePrefix = "v";

export function nodeNetwork(config: ClusterConfig, node: NodeConfig): NodeNetwork {
  return {
    name: node.name,
    addresses: [parseIpAddress(node.address)],
    podCidrs: [parseCidr(node.podCidr)],
    clusterCidrs: [parseCidr(config.podCidr), parseCidr(config.nodeCidr)],
    serviceCidrs: [parseCidr(config.serviceCidr)],
    podInterfacePrefix,
  };
}
