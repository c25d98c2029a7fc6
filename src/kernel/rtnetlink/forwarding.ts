/** Forwarding entries of VXLAN links: the neighbours of the bridge family, struct ndmsg (<linux/neighbour.h>). */
import { type IpAddress, ipToBytes } from "../../lib/ip/index.ts";
import { inet, inet6, ipOf } from "./family.ts";
import { formatMac, parseMac } from "./mac.ts";
import { messageFlag, MessageWriter, splitPayload } from "./wire.ts";

const neighbourType = { new: 28, delete: 29, get: 30 } as const;

const attribute = { destination: 1, mac: 2 } as const;
export const bridgeFamily = 7;
const permanent = 0x80;
/** NTF_SELF: the link's own entries, not those of a bridge it is in. */
const ofLinkItself = 0x02;
const fixedLength = 12;

/**
 * A permanent entry: frames for `mac` are sent to `remote`. The kernel keeps no owner with these; whoever owns the link
 * owns them.
 */
export interface Forwarding {
  readonly linkIndex: number;
  readonly mac: string;
  readonly remote: IpAddress;
}

/** Also replaces the entry of the same MAC. */
export function encodeNewForwarding(forwarding: Forwarding, sequence: number): Uint8Array {
  const flags = messageFlag.request | messageFlag.ack | messageFlag.create | messageFlag.replace;
  return write(new MessageWriter().begin(neighbourType.new, flags, sequence), forwarding).finish();
}

export function encodeForwardingDeletion(forwarding: Forwarding, sequence: number): Uint8Array {
  const flags = messageFlag.request | messageFlag.ack;
  return write(new MessageWriter().begin(neighbourType.delete, flags, sequence), forwarding).finish();
}

export function encodeForwardingQuery(linkIndex: number, sequence: number): Uint8Array {
  const writer = new MessageWriter().begin(neighbourType.get, messageFlag.request | messageFlag.dump, sequence);
  return writer.u8(bridgeFamily).u8(0).u16(0).u32(linkIndex).u32(0).finish();
}

/** Undefined for what is no permanent entry that leads to an IP address. Throws `NetlinkDecodeError`. */
export function decodeForwarding(payload: Uint8Array): Forwarding | undefined {
  const { fixed, attributes } = splitPayload(payload, fixedLength);
  const bytes = attributes.get(attribute.destination);
  const mac = attributes.get(attribute.mac);
  if (bytes === undefined || mac === undefined || fixed.getUint8(0) !== bridgeFamily) return undefined;
  if ((fixed.getUint16(8, true) & permanent) === 0) return undefined;
  // The family of the destination is told by its length only.
  const remote = ipOf(bytes.length === 4 ? inet : inet6, bytes);
  return remote === undefined ? undefined : { linkIndex: fixed.getInt32(4, true), mac: formatMac(mac), remote };
}

function write(writer: MessageWriter, { linkIndex, mac, remote }: Forwarding): MessageWriter {
  return writer
    .u8(bridgeFamily)
    .u8(0)
    .u16(0)
    .u32(linkIndex)
    .u16(permanent)
    .u8(ofLinkItself)
    .u8(0)
    .attribute(attribute.destination, ipToBytes(remote))
    .attribute(attribute.mac, parseMac(mac));
}
