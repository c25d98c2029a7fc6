/**
 * The lab's cables: the router ("lan", where the control plane lives too), the nodes on its bridge, and a client beyond
 * it ("outside").
 */
import { createHash } from "node:crypto";
import {
  type Cidr,
  cidrPrefix,
  type IpAddress,
  ipFamily,
  ipToBytes,
  parseCidr,
  parseIpAddress,
} from "../../lib/ip/index.ts";
import type { ClusterConfig, NodeConfig } from "../cluster-config.ts";
import {
  emptyPlan,
  type NetworkPlan,
  type PlannedLink,
  type PlannedRoute,
  type PlannedSysctl,
} from "../network-state/index.ts";
import type { Provenance } from "../provenance.ts";

const bridge = "lan0";
const outsideLink = "outside";
const uplink = "eth0";
/** Asked before the main table, for packets of the lan's own processes only. */
const controlPlaneTable = 100;
/** RT_TABLE_DEFAULT; the kernel's own rule asks it after the main table. */
const defaultTable = 253;
const controlPlaneRulePriority = 100;
const everything = { IPv4: parseCidr("0.0.0.0/0"), IPv6: parseCidr("::/0") } as const;

type LabConfig = Pick<
  ClusterConfig,
  "name" | "nodes" | "nodeCidr" | "controlPlaneAddress" | "outsideCidr" | "outsideRouterAddress" | "outsideAddress"
>;

/** The router without its nodes. `outsideNetnsPath` is where the client's namespace is bound. */
export function planLan(config: LabConfig, outsideNetnsPath: string): NetworkPlan {
  const cause: Provenance = { kind: "Cluster", name: config.name, detail: "lan" };
  const address = parseIpAddress(config.controlPlaneAddress);
  return {
    ...emptyPlan,
    links: [
      { type: "loopback", name: "lo", cause },
      // A bridge without a MAC of its own takes that of a port, and changes it as ports come and go.
      { type: "bridge", name: bridge, mac: macOf(address), cause },
      { type: "veth", name: outsideLink, peer: { name: uplink, netnsPath: outsideNetnsPath }, cause },
    ],
    addresses: [
      { link: bridge, address, prefix: cidrPrefix(parseCidr(config.nodeCidr)), cause },
      {
        link: outsideLink,
        address: parseIpAddress(config.outsideRouterAddress),
        prefix: cidrPrefix(parseCidr(config.outsideCidr)),
        cause,
      },
    ],
    routes: [...config.nodes.map(podRoute), endOfTheWorld(everything[ipFamily(address)], cause)],
    rules: [
      {
        family: ipFamily(address),
        priority: controlPlaneRulePriority,
        inLink: "lo",
        table: controlPlaneTable,
        cause,
      },
    ],
    sysctls: routerSysctls(cause),
  };
}

/**
 * The API server dials pods (the proxy subresource), so the control plane has routes to them, as a real control-plane
 * node has. A real network's routers have none: hence the table of its own, which packets from outside never see.
 */
function podRoute(node: NodeConfig): PlannedRoute {
  return {
    destination: parseCidr(node.podCidr),
    gateway: parseIpAddress(node.address),
    link: bridge,
    table: controlPlaneTable,
    cause: { kind: "Node", name: node.name },
  };
}

/**
 * What leads nowhere ends here, and says so: a resolver or a web server of the internet would else be waited for. In the
 * table that the kernel asks last, so that any route of the main table comes first.
 */
function endOfTheWorld(destination: Cidr, cause: Provenance): PlannedRoute {
  return { destination, isProhibited: true, table: defaultTable, cause };
}

/** The cable from the router to a node: both ends, as the router's namespace makes them. */
export function planNodeCable(node: Pick<NodeConfig, "name" | "address">, netnsPath: string): NetworkPlan {
  const link: PlannedLink = {
    type: "veth",
    name: cableName(node.name),
    master: bridge,
    peer: { name: uplink, netnsPath, mac: macOf(parseIpAddress(node.address)) },
    cause: { kind: "Node", name: node.name },
  };
  return { ...emptyPlan, links: [link] };
}

/** The node's end. */
export function planNodeUplink(config: LabConfig, node: Pick<NodeConfig, "name" | "address">): NetworkPlan {
  return planHost({
    address: node.address,
    cidr: config.nodeCidr,
    router: config.controlPlaneAddress,
    cause: { kind: "Node", name: node.name },
  });
}

export function planOutside(config: LabConfig): NetworkPlan {
  return planHost({
    address: config.outsideAddress,
    cidr: config.outsideCidr,
    router: config.outsideRouterAddress,
    cause: { kind: "Cluster", name: config.name, detail: "outside" },
  });
}

function planHost(host: {
  readonly address: string;
  readonly cidr: string;
  readonly router: string;
  readonly cause: Provenance;
}): NetworkPlan {
  const { cause } = host;
  const gateway = parseIpAddress(host.router);
  const prefix = cidrPrefix(parseCidr(host.cidr));
  return {
    ...emptyPlan,
    links: [
      { type: "loopback", name: "lo", cause },
      { type: "given", name: uplink, cause },
    ],
    addresses: [{ link: uplink, address: parseIpAddress(host.address), prefix, cause }],
    routes: [{ destination: everything[ipFamily(gateway)], gateway, link: uplink, cause }],
  };
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

/** The node's name where it fits the kernel's 15 characters. */
function cableName(node: string): string {
  if (node.length <= 15 && node !== bridge && node !== outsideLink) return node;
  return `n${createHash("sha256").update(node).digest("hex").slice(0, 10)}`;
}

/** Locally administered, and readable: 02:00 and the last four bytes of the address. */
function macOf(address: IpAddress): string {
  const bytes = [0x02, 0x00, ...ipToBytes(address).slice(-4)];
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}
