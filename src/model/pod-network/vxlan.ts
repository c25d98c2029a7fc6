/**
 * Pods of other nodes through a VXLAN (RFC 7348): one end per node, and nothing to ask or to learn, since everything is
 * known from the list of nodes (flannel's "vxlan" way):
 *
 *     10.244.2.0/24 via 10.244.2.0 dev overlay1 onlink     route: which end
 *     10.244.2.0    lladdr 02:01:c0:a8:3c:0c             neighbour: that end's MAC
 *     02:01:c0:a8:3c:0c dst 192.168.60.12                forwarding entry: the node where it is
 *
 * One end carries both families. The address of a node's end is the first of its pod range, which no pod gets; nodes talk
 * to pods of other nodes from it, so that answers come back the same way.
 */
import { type Cidr, familyBits, ipFamily, type IpAddress, ipToBytes, nthAddress } from "../../lib/ip/index.ts";
import {
  emptyPlan,
  type NetworkPlan,
  type PlannedForwarding,
  type PlannedNeighbour,
  type PlannedRoute,
  type PlannedSysctl,
} from "../network-state/index.ts";
import type { Provenance } from "../provenance.ts";
import type { NodeNetwork } from "./node-network.ts";

/** flannel's number for Linux, and IANA's port rather than flannel's 8472, which is older: what tcpdump decodes. */
const vni = 1;
const port = 4789;
/** Not "vxlan1": links that begin with "v" are pods', which may send from their own addresses only. */
const vxlanLink = `overlay${vni}`;

/** What wrapping adds to a packet: the outer IP header, UDP, VXLAN, and the inner Ethernet header (RFC 7348 section 5). */
const overheadBytes = { IPv4: 20 + 8 + 8 + 14, IPv6: 40 + 8 + 8 + 14 } as const;

/** What is left of the node's link for a packet of a pod. */
export function vxlanMtu(node: NodeNetwork, uplinkMtuBytes: number): number {
  const outside = outsideAddress(node);
  return outside === undefined ? uplinkMtuBytes : uplinkMtuBytes - overheadBytes[ipFamily(outside)];
}

/** Without an address in the node network nothing is planned; other nodes without one are left out. */
export function planVxlan(input: {
  readonly node: NodeNetwork;
  readonly others: readonly NodeNetwork[];
  readonly uplinkMtuBytes: number;
}): NetworkPlan {
  const { node, others, uplinkMtuBytes } = input;
  const local = outsideAddress(node);
  if (local === undefined) return emptyPlan;
  const cause: Provenance = { kind: "Node", name: node.name };
  const families = new Set(node.podCidrs.map(ipFamily));
  const ends = others.flatMap((other) => endOf(other, ipFamily(local)));
  return {
    ...emptyPlan,
    links: [
      {
        type: "vxlan",
        name: vxlanLink,
        mac: endMac(local),
        mtuBytes: vxlanMtu(node, uplinkMtuBytes),
        vxlan: { vni, port, local },
        cause,
      },
    ],
    addresses: node.podCidrs.map((podCidr) => {
      const address = vxlanEndAddress(podCidr);
      return { link: vxlanLink, address, prefix: familyBits[ipFamily(address)], cause };
    }),
    neighbours: ends.flatMap((end) => neighboursOf(end, families)),
    forwardings: ends.map(forwardingOf),
    routes: ends.flatMap((end) => routesTo(end, families)),
    sysctls: families.has("IPv6") ? [] : [withoutIpv6(cause)],
  };
}

interface OtherEnd {
  readonly podCidrs: readonly Cidr[];
  readonly mac: string;
  readonly remote: IpAddress;
  readonly cause: Provenance;
}

/** All ends speak the same family, that of this node's. */
function endOf(other: NodeNetwork, family: "IPv4" | "IPv6"): readonly OtherEnd[] {
  const remote = outsideAddress(other);
  if (remote === undefined || ipFamily(remote) !== family) return [];
  return [{ podCidrs: other.podCidrs, mac: endMac(remote), remote, cause: { kind: "Node", name: other.name } }];
}

function neighboursOf({ podCidrs, mac, cause }: OtherEnd, families: ReadonlySet<string>): readonly PlannedNeighbour[] {
  return podCidrs
    .filter((podCidr) => families.has(ipFamily(podCidr)))
    .map((podCidr) => ({ link: vxlanLink, address: vxlanEndAddress(podCidr), mac, cause }));
}

function forwardingOf({ mac, remote, cause }: OtherEnd): PlannedForwarding {
  return { link: vxlanLink, mac, remote, cause };
}

function routesTo({ podCidrs, cause }: OtherEnd, families: ReadonlySet<string>): readonly PlannedRoute[] {
  return podCidrs
    .filter((podCidr) => families.has(ipFamily(podCidr)))
    .map((destination) => ({
      destination,
      gateway: vxlanEndAddress(destination),
      link: vxlanLink,
      isOnlink: true,
      cause,
    }));
}

function withoutIpv6(cause: Provenance): PlannedSysctl {
  const key = `net/ipv6/conf/${vxlanLink}/disable_ipv6`;
  return { key, value: "1", link: vxlanLink, isOptional: true, cause };
}

/** The outer packets' address of a node: IPv4 where it has both, which costs 20 bytes less. */
function outsideAddress({ addresses }: NodeNetwork): IpAddress | undefined {
  return addresses.find((address) => ipFamily(address) === "IPv4") ?? addresses[0];
}

/** Of a node's end, by the node's pod range. */
export function vxlanEndAddress(podCidr: Cidr): IpAddress {
  return nthAddress(podCidr, 0);
}

/** Locally administered, and readable: 02:01 and the last four bytes of the address, which differ within a node network. */
function endMac(address: IpAddress): string {
  const bytes = [0x02, 0x01, ...ipToBytes(address).slice(-4)];
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}
