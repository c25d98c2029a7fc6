/** Routes: struct rtmsg and the RTA_ attributes (<linux/rtnetlink.h>). */
import {
  type Cidr,
  cidrNetwork,
  cidrOf,
  cidrPrefix,
  familyBits,
  ipFamily,
  type IpAddress,
  ipToBytes,
} from "../../lib/ip/index.ts";
import { ipOf, kernelFamily, unspecified } from "./family.ts";
import { messageFlag, MessageWriter, NetlinkDecodeError, readU32, splitPayload } from "./wire.ts";

const routeType = { new: 24, delete: 25, get: 26 } as const;

const attribute = { destination: 1, outLink: 4, gateway: 5, priority: 6, preferredSource: 7, table: 15 } as const;
const kinds = { unicast: 1, unreachable: 7, prohibit: 8 } as const;
const isClonedFlag = 0x200;
const isOnlinkFlag = 4;
const scopes = { universe: 0, link: 253 } as const;
const fixedLength = 12;

/** From <linux/rtnetlink.h>. */
export const mainTable = 254;

/** Who sets routes, addresses, rules and neighbours: numbers beyond those that routing programs have taken. */
export const ownerProtocols = { labNetwork: 110, podNetwork: 111, labCables: 112 } as const;

export interface Route {
  readonly destination: Cidr;
  readonly gateway: IpAddress | undefined;
  /** Undefined on a route that leads nowhere. */
  readonly linkIndex: number | undefined;
  /** Of a route that leads nowhere: the sender is told that it may not go there, else that nothing leads there. */
  readonly isProhibited: boolean;
  /** The source that the node itself uses on it. */
  readonly source: IpAddress | undefined;
  /** The gateway is taken to be on the link although no address says so. */
  readonly isOnlink: boolean;
  readonly table: number;
  /** Who set it: 2 is the kernel, `ownerProtocols` are ours. */
  readonly protocol: number;
}

/** Also replaces a route to the same destination. */
export function encodeNewRoute(route: Route, sequence: number): Uint8Array {
  const flags = messageFlag.request | messageFlag.ack | messageFlag.create | messageFlag.replace;
  return write(new MessageWriter().begin(routeType.new, flags, sequence), route).finish();
}

export function encodeRouteDeletion(route: Route, sequence: number): Uint8Array {
  const flags = messageFlag.request | messageFlag.ack;
  return write(new MessageWriter().begin(routeType.delete, flags, sequence), route).finish();
}

export function encodeRouteQuery(sequence: number): Uint8Array {
  const writer = new MessageWriter().begin(routeType.get, messageFlag.request | messageFlag.dump, sequence);
  return writer.u32(0).u32(0).u32(0).finish();
}

/**
 * Undefined for what is neither unreachable, prohibited nor a unicast route with one link: local and broadcast entries, multipath,
 * cloned routes, other families. Throws `NetlinkDecodeError`.
 */
export function decodeRoute(payload: Uint8Array): Route | undefined {
  const { fixed, attributes } = splitPayload(payload, fixedLength);
  const family = fixed.getUint8(0);
  const kind = fixed.getUint8(7);
  // The kernel names the loopback for an unreachable IPv6 route.
  const linkIndex = kind === kinds.unicast ? readU32(attributes.get(attribute.outLink)) : undefined;
  const destination = ipOf(family, attributes.get(attribute.destination)) ?? unspecified(family);
  const flags = fixed.getUint32(8, true);
  if (destination === undefined || (flags & isClonedFlag) !== 0) return undefined;
  if (kind === kinds.unicast ? linkIndex === undefined : kind !== kinds.unreachable && kind !== kinds.prohibit)
    return undefined;
  return {
    destination: readCidr(destination, fixed.getUint8(1)),
    gateway: ipOf(family, attributes.get(attribute.gateway)),
    linkIndex,
    isProhibited: kind === kinds.prohibit,
    source: ipOf(family, attributes.get(attribute.preferredSource)),
    isOnlink: (flags & isOnlinkFlag) !== 0,
    table: readU32(attributes.get(attribute.table)) ?? fixed.getUint8(4),
    protocol: fixed.getUint8(5),
  };
}

function readCidr(address: IpAddress, prefix: number): Cidr {
  if (prefix > familyBits[ipFamily(address)]) {
    throw new NetlinkDecodeError(`Cannot read route to ${address}: the prefix ${prefix} does not fit`);
  }
  return cidrOf(address, prefix);
}

function write(writer: MessageWriter, route: Route): MessageWriter {
  const prefix = cidrPrefix(route.destination);
  const leads = route.linkIndex !== undefined;
  const isDirect = leads && route.gateway === undefined && ipFamily(route.destination) === "IPv4";
  writer
    .u8(kernelFamily(route.destination))
    .u8(prefix)
    .u8(0)
    .u8(0)
    .u8(0)
    .u8(route.protocol)
    .u8(isDirect ? scopes.link : scopes.universe)
    .u8(leads ? kinds.unicast : route.isProhibited ? kinds.prohibit : kinds.unreachable)
    .u32(route.isOnlink ? isOnlinkFlag : 0);
  if (prefix > 0) writer.attribute(attribute.destination, ipToBytes(cidrNetwork(route.destination)));
  if (route.gateway !== undefined) writer.attribute(attribute.gateway, ipToBytes(route.gateway));
  if (route.source !== undefined) writer.attribute(attribute.preferredSource, ipToBytes(route.source));
  if (route.linkIndex !== undefined) writer.attributeU32(attribute.outLink, route.linkIndex);
  return writer.attributeU32(attribute.table, route.table);
}
