/** What makes a link a VXLAN end (RFC 7348): the IFLA_VXLAN_ attributes (<linux/if_link.h>). */
import { ipFamily, type IpAddress, ipToBytes } from "../../lib/ip/index.ts";
import { inet, inet6, ipOf } from "./family.ts";
import { type MessageWriter, readAttributes, readU32 } from "./wire.ts";

const attribute = { vni: 1, local: 4, learning: 7, port: 15, local6: 17 } as const;

export interface VxlanSettings {
  /** The number of the virtual network. */
  readonly vni: number;
  /** UDP, of both ends. */
  readonly port: number;
  /** The source of the outer packets; undefined leaves it to the route. */
  readonly local: IpAddress | undefined;
  /** Whether the senders of frames are noted in its forwarding entries. */
  readonly isLearning: boolean;
}

export function writeVxlan(writer: MessageWriter, { vni, port, local, isLearning }: VxlanSettings): void {
  writer.attributeU32(attribute.vni, vni);
  if (local !== undefined) {
    writer.attribute(ipFamily(local) === "IPv6" ? attribute.local6 : attribute.local, ipToBytes(local));
  }
  // The port alone is in network byte order.
  writer
    .attribute(attribute.learning, Uint8Array.of(isLearning ? 1 : 0))
    .attribute(attribute.port, Uint8Array.of(port >> 8, port & 0xff));
}

/** Throws `NetlinkDecodeError`. */
export function readVxlan(data: Uint8Array): VxlanSettings {
  const attributes = readAttributes(data);
  const [high = 0, low = 0] = attributes.get(attribute.port) ?? [];
  return {
    vni: readU32(attributes.get(attribute.vni)) ?? 0,
    port: (high << 8) | low,
    local: ipOf(inet, attributes.get(attribute.local)) ?? ipOf(inet6, attributes.get(attribute.local6)),
    isLearning: attributes.get(attribute.learning)?.[0] === 1,
  };
}
