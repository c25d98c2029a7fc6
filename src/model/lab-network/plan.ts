/**
 * The lab's cables: the router ("lan", where the control plane lives too), the nodes on its bridge, and a client beyond
 * it ("outside").
 */
import { createHash } from "node:crypto";
import {
  type Cidr,
  cidrPrefix,
  ipFamily,
  type IpFamily,
  ipToBytes,
  parseCidr,
  parseIpAddress,
} from "../../lib/ip/index.ts";
import type { ClusterConfig, NodeConfig, PerFamily } from "../cluster-config.ts";
import {
  emptyPlan,
  ipv6Settings,
  type NetworkPlan,
  type PlannedAddress,
  type PlannedLink,
  type PlannedRoute,
  type PlannedRule,
  type PlannedSysctl,
} from "../network-state/index.ts";
import type { Provenance } from "../provenance.ts";

const bridge = "lan0";
const outsideLink = "outside";
const uplink = "eth0";
/** Asked before the main table, for packets of the lan's own processes only. */
const controlPlaneTable = 100;
/** RT_TABLE_DEFAULT; the kernel's own rule asks it after the main table, for IPv4. */
const defaultTable = 253;
/** Of that rule. */
const defaultRulePriority = 32_767;
const controlPlaneRulePriority = 100;
const everything = { IPv4: parseCidr("0.0.0.0/0"), IPv6: parseCidr("::/0") } as const;

type LabConfig = Pick<
  ClusterConfig,
  | "name"
  | "nodes"
  | "nodeCidrs"
  | "controlPlaneAddresses"
  | "outsideCidrs"
  | "outsideRouterAddresses"
  | "outsideAddresses"
>;

/** The router without its nodes. `outsideNetnsPath` is where the client's namespace is bound. */
export function planLan(config: LabConfig, outsideNetnsPath: string): NetworkPlan {
  const cause: Provenance = { kind: "Cluster", name: config.name, detail: "lan" };
  const families = config.nodeCidrs.map((cidr) => ipFamily(parseCidr(cidr)));
  return {
    ...emptyPlan,
    links: [
      { type: "loopback", name: "lo", cause },
      // A bridge without a MAC of its own takes that of a port, and changes it as ports come and go.
      { type: "bridge", name: bridge, mac: macOf(config.controlPlaneAddresses), cause },
      { type: "veth", name: outsideLink, peer: { name: uplink, netnsPath: outsideNetnsPath }, cause },
    ],
    addresses: [
      ...addressesOf(bridge, { addresses: config.controlPlaneAddresses, cidrs: config.nodeCidrs, cause }),
      ...addressesOf(outsideLink, { addresses: config.outsideRouterAddresses, cidrs: config.outsideCidrs, cause }),
    ],
    routes: [...config.nodes.flatMap(podRoutes), ...families.map((family) => endOfTheWorld(everything[family], cause))],
    rules: families.flatMap((family) => rulesOf(family, cause)),
    sysctls: [...(families.includes("IPv6") ? ipv6RouterSysctls(cause) : []), ...routerSysctls(cause)],
  };
}

function rulesOf(family: IpFamily, cause: Provenance): readonly PlannedRule[] {
  const controlPlane = { family, priority: controlPlaneRulePriority, inLink: "lo", table: controlPlaneTable, cause };
  // IPv4 has the other rule from the kernel.
  return family === "IPv4"
    ? [controlPlane]
    : [controlPlane, { family, priority: defaultRulePriority, inLink: "", table: defaultTable, cause }];
}

/**
 * The API server dials pods (the proxy subresource), so the control plane has routes to them, as a real control-plane
 * node has. A real network's routers have none: hence the table of its own, which packets from outside never see.
 */
function podRoutes(node: NodeConfig): readonly PlannedRoute[] {
  return node.podCidrs.flatMap((cidr, index) => {
    const gateway = node.addresses[index];
    if (gateway === undefined) return [];
    return {
      destination: parseCidr(cidr),
      gateway: parseIpAddress(gateway),
      link: bridge,
      table: controlPlaneTable,
      cause: { kind: "Node", name: node.name },
    };
  });
}

/**
 * What leads nowhere ends here, and says so: a resolver or a web server of the internet would else be waited for. In the
 * table that the kernel asks last, so that any route of the main table comes first.
 */
function endOfTheWorld(destination: Cidr, cause: Provenance): PlannedRoute {
  return { destination, isProhibited: true, table: defaultTable, cause };
}

/** The cable from the router to a node: both ends, as the router's namespace makes them. */
export function planNodeCable(node: Pick<NodeConfig, "name" | "addresses">, netnsPath: string): NetworkPlan {
  const link: PlannedLink = {
    type: "veth",
    name: cableName(node.name),
    master: bridge,
    peer: { name: uplink, netnsPath, mac: macOf(node.addresses) },
    cause: { kind: "Node", name: node.name },
  };
  return { ...emptyPlan, links: [link] };
}

/** The node's end. */
export function planNodeUplink(config: LabConfig, node: Pick<NodeConfig, "name" | "addresses">): NetworkPlan {
  return planHost({
    addresses: node.addresses,
    cidrs: config.nodeCidrs,
    routers: config.controlPlaneAddresses,
    cause: { kind: "Node", name: node.name },
  });
}

export function planOutside(config: LabConfig): NetworkPlan {
  return planHost({
    addresses: config.outsideAddresses,
    cidrs: config.outsideCidrs,
    routers: config.outsideRouterAddresses,
    cause: { kind: "Cluster", name: config.name, detail: "outside" },
  });
}

function planHost(host: {
  readonly addresses: PerFamily;
  readonly cidrs: PerFamily;
  readonly routers: PerFamily;
  readonly cause: Provenance;
}): NetworkPlan {
  const { cause } = host;
  const gateways = host.routers.map((router) => parseIpAddress(router));
  return {
    ...emptyPlan,
    links: [
      { type: "loopback", name: "lo", cause },
      { type: "given", name: uplink, cause },
    ],
    addresses: addressesOf(uplink, host),
    routes: gateways.map((gateway) => ({ destination: everything[ipFamily(gateway)], gateway, link: uplink, cause })),
    sysctls: gateways.some((gateway) => ipFamily(gateway) === "IPv6") ? ipv6Settings(cause) : [],
  };
}

function addressesOf(
  link: string,
  network: { readonly addresses: PerFamily; readonly cidrs: PerFamily; readonly cause: Provenance },
): readonly PlannedAddress[] {
  return network.addresses.flatMap((address, index) => {
    const cidr = network.cidrs[index];
    if (cidr === undefined) return [];
    return { link, address: parseIpAddress(address), prefix: cidrPrefix(parseCidr(cidr)), cause: network.cause };
  });
}

function routerSysctls(cause: Provenance): readonly PlannedSysctl[] {
  return [
    { key: "net/ipv4/ip_forward", value: "1", cause },
    { key: "net/ipv4/conf/all/rp_filter", value: "0", cause },
    { key: "net/ipv4/conf/default/rp_filter", value: "0", cause },
    { key: "net/ipv4/icmp_ratelimit", value: "0", cause },
    { key: "net/ipv6/conf/all/forwarding", value: "1", isOptional: true, cause },
  ];
}

function ipv6RouterSysctls(cause: Provenance): readonly PlannedSysctl[] {
  return [...ipv6Settings(cause), { key: "net/ipv6/icmp/ratelimit", value: "0", cause }];
}

/** The node's name where it fits the kernel's 15 characters. */
function cableName(node: string): string {
  if (node.length <= 15 && node !== bridge && node !== outsideLink) return node;
  return `n${createHash("sha256").update(node).digest("hex").slice(0, 10)}`;
}

/** Locally administered, and readable: 02:00 and the last four bytes of the primary address. */
function macOf([address]: PerFamily): string {
  const bytes = [0x02, 0x00, ...ipToBytes(parseIpAddress(address)).slice(-4)];
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}
