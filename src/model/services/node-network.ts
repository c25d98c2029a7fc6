/** What the rules of a node need to know of the cluster's networks. Lists hold at most one entry per family unless told. */
import type { Family } from "../rules/index.ts";
import { cidrContains, ipFamily, mergeCidrs, type Cidr, type IpAddress } from "../../lib/ip/index.ts";

export interface NodeNetwork {
  /** "node-1": endpoints with this nodeName are local. */
  readonly name: string;
  /** The node's addresses in the node network; a family without one gets no table. */
  readonly addresses: readonly IpAddress[];
  /** The pods of this node. */
  readonly podCidrs: readonly Cidr[];
  /** Any number: what pods reach under their own address. All pods, and all nodes where their network carries pods' addresses. */
  readonly clusterCidrs: readonly Cidr[];
  /** Of which Services have addresses, any number. */
  readonly serviceCidrs: readonly Cidr[];
  /** The node's end of an overlay, which leads to the pods of other nodes; absent where plain routes do. */
  readonly overlay?: {
    readonly addresses: readonly IpAddress[];
    /** Of all nodes. */
    readonly podCidrs: readonly Cidr[];
  };
  /** Host ends of the pods' veth pairs begin with it. */
  readonly podInterfacePrefix: string;
}

/** The same for one address family. */
export interface FamilyNetwork {
  readonly family: Family;
  readonly address: IpAddress;
  /** Undefined: no pods of this family on the node. */
  readonly podCidr: Cidr | undefined;
  readonly clusterCidrs: readonly Cidr[];
  /** None lies in another. */
  readonly serviceCidrs: readonly Cidr[];
  readonly overlay: { readonly address: IpAddress; readonly podCidr: Cidr } | undefined;
  readonly podInterfacePrefix: string;
}

/** The families the node has an address of, IPv4 first. */
export function familyNetworks(node: NodeNetwork): readonly FamilyNetwork[] {
  return (["ip", "ip6"] as const).flatMap((family) => {
    const isOurs = (text: IpAddress | Cidr): boolean => familyOf(text) === family;
    const address = node.addresses.find(isOurs);
    if (address === undefined) return [];
    const overlay = {
      address: node.overlay?.addresses.find(isOurs),
      podCidr: node.overlay?.podCidrs.find(isOurs),
    };
    return {
      family,
      address,
      podCidr: node.podCidrs.find(isOurs),
      clusterCidrs: mergeCidrs(node.clusterCidrs.filter(isOurs)),
      serviceCidrs: mergeCidrs(node.serviceCidrs.filter(isOurs)),
      overlay:
        overlay.address === undefined || overlay.podCidr === undefined
          ? undefined
          : { address: overlay.address, podCidr: overlay.podCidr },
      podInterfacePrefix: node.podInterfacePrefix,
    };
  });
}

export function familyOf(text: IpAddress | Cidr): Family {
  return ipFamily(text) === "IPv4" ? "ip" : "ip6";
}

/** Whether `address` belongs to a pod of this node. */
export function isPodOfNode(network: FamilyNetwork, address: IpAddress): boolean {
  return network.podCidr !== undefined && cidrContains(network.podCidr, address);
}
