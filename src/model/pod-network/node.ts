/** What a node needs to carry pods: forwarding, and a way to each other node's pods. */
import { ipFamily, type IpAddress, type IpFamily, parseIpAddress } from "../../lib/ip/index.ts";
import type { NetworkKind } from "../cluster-config.ts";
import { emptyPlan, ipv6Settings, mergePlans, type NetworkPlan, type PlannedSysctl } from "../network-state/index.ts";
import type { Provenance } from "../provenance.ts";
import { planHostGateways } from "./host-gateways.ts";
import type { NodeNetwork } from "./node-network.ts";
import { planVxlan } from "./vxlan.ts";

/** Where pods send everything. IPv4's is no address of any link, but each host veth answers for it (proxy_arp). */
export const podGateways: Readonly<Record<IpFamily, IpAddress>> = {
  IPv4: parseIpAddress("169.254.1.1"),
  IPv6: parseIpAddress("fe80::1"),
};

/** `uplink` is the node's link into the node network, `mtuBytes` that link's. */
export function planNodeNetwork(input: {
  readonly node: NodeNetwork;
  readonly nodes: readonly NodeNetwork[];
  readonly uplink: string;
  readonly network: NetworkKind;
  readonly mtuBytes: number;
}): NetworkPlan {
  const { node, nodes, uplink, network, mtuBytes } = input;
  const cause: Provenance = { kind: "Node", name: node.name };
  const families = new Set(node.podCidrs.map(ipFamily));
  const others = nodes.filter(({ name }) => name !== node.name);
  const own: NetworkPlan = {
    ...emptyPlan,
    links: [{ type: "given", name: uplink, cause }],
    // A pod that has gone: say so at once rather than send its packets out by the default route.
    routes: node.podCidrs.map((destination) => ({ destination, cause })),
    sysctls: [...(families.has("IPv4") ? ipv4Sysctls(cause) : []), ...(families.has("IPv6") ? ipv6Sysctls(cause) : [])],
  };
  const between =
    network === "vxlan" ? planVxlan({ node, others, uplinkMtuBytes: mtuBytes }) : planHostGateways(others, uplink);
  return mergePlans([own, between]);
}

function ipv4Sysctls(cause: Provenance): readonly PlannedSysctl[] {
  return [
    { key: "net/ipv4/ip_forward", value: "1", cause },
    // Replies may leave by another link than the request came in by.
    { key: "net/ipv4/conf/all/rp_filter", value: "0", cause },
    { key: "net/ipv4/conf/default/rp_filter", value: "0", cause },
    // A host port of a pod answers at 127.0.0.1 of its node too; the service proxy's rules keep others from there.
    { key: "net/ipv4/conf/all/route_localnet", value: "1", cause },
    // A NodePort request that is passed on to another node leaves by the link it came in by.
    { key: "net/ipv4/conf/all/send_redirects", value: "0", cause },
    { key: "net/ipv4/conf/default/send_redirects", value: "0", cause },
    // Refusals by ICMP would be lost under load (DATAPATH: 7 of 20 were seen).
    { key: "net/ipv4/icmp_ratelimit", value: "0", cause },
  ];
}

function ipv6Sysctls(cause: Provenance): readonly PlannedSysctl[] {
  return [
    ...ipv6Settings(cause),
    { key: "net/ipv6/conf/all/forwarding", value: "1", cause },
    { key: "net/ipv6/icmp/ratelimit", value: "0", cause },
  ];
}
