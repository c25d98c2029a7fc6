/** Which name and addresses the nodes of a cluster have, by their place. */
import { type Cidr, cidrPrefix, familyBits, ipFamily, nthAddress, parseCidr } from "../../lib/ip/index.ts";
import { type ClusterConfig, type NodeConfig, perFamily } from "../cluster-config.ts";
import { podPrefixes } from "./plan-ranges.ts";

export const mostNodes = 200;
/** Nodes get the node network's addresses from this number on; below are the router and room for others. */
const firstNodeIndex = 11;

type NodeNetworks = Pick<ClusterConfig, "nodeCidrs" | "podCidrs" | "loopbackIndex">;

/** The node that a cluster has at a place, from 0 on; undefined where the pod network has no part left for it. */
export function nodeAt(index: number, network: NodeNetworks): NodeConfig | undefined {
  const parts = network.podCidrs.map((cidr) => podRangeAt(parseCidr(cidr), index));
  if (index >= mostNodes || parts.includes(undefined)) return undefined;
  return {
    name: `node-${index + 1}`,
    addresses: perFamily(network.nodeCidrs, (cidr) => nodeAddress(parseCidr(cidr), firstNodeIndex + index)),
    podCidrs: perFamily(network.podCidrs, (cidr) => podRangeAt(parseCidr(cidr), index) ?? ""),
    loopbackAddress: `127.${network.loopbackIndex}.0.${index + 1}`,
  };
}

/** The first part of the pod network belongs to no node. */
function podRangeAt(podCidr: Cidr, index: number): string | undefined {
  const family = ipFamily(podCidr);
  const prefix = podPrefixes[family];
  if (index + 1 >= 2 ** (prefix - cidrPrefix(podCidr))) return undefined;
  return `${nthAddress(podCidr, BigInt(index + 1) << BigInt(familyBits[family] - prefix))}/${prefix}`;
}

/** With the same digits in both families: 192.168.60.11 and fd00:192:168:60::11. */
function nodeAddress(nodeCidr: Cidr, number: number): string {
  return nthAddress(nodeCidr, ipFamily(nodeCidr) === "IPv4" ? number : Number.parseInt(`${number}`, 16));
}
