/** Neighbours, the MAC address behind an address of a link: struct ndmsg and the NDA_ attributes (<linux/neighbour.h>). */
import { type IpAddress, ipToBytes } from "../../lib/ip/index.ts";
import { ipOf, kernelFamily } from "./family.ts";
import { formatMac, parseMac } from "./mac.ts";
import { messageFlag, MessageWriter, splitPayload } from "./wire.ts";

const neighbourType = { new: 28, delete: 29, get: 30 } as const;

const attribute = { destination: 1, mac: 2, protocol: 12 } as const;
const permanent = 0x80;
const fixedLength = 12;

/** A permanent entry: never asked for, never forgotten. */
export interface Neighbour {
  readonly linkIndex: number;
  readonly address: IpAddress;
  readonly mac: string;
  /** Who set it, as with routes. */
  readonly protocol: number;
}

/** Also replaces the entry of the same address. */
export function encodeNewNeighbour(neighbour: Neighbour, sequence: number): Uint8Array {
  const flags = messageFlag.request | messageFlag.ack | messageFlag.create | messageFlag.replace;
  return write(new MessageWriter().begin(neighbourType.new, flags, sequence), neighbour).finish();
}

export function encodeNeighbourDeletion(neighbour: Neighbour, sequence: number): Uint8Array {
  const flags = messageFlag.request | messageFlag.ack;
  return write(new MessageWriter().begin(neighbourType.delete, flags, sequence), neighbour).finish();
}

export function encodeNeighbourQuery(sequence: number): Uint8Array {
  const writer = new MessageWriter().begin(neighbourType.get, messageFlag.request | messageFlag.dump, sequence);
  return writer.u32(0).u32(0).u32(0).finish();
}

/** Undefined for what is no permanent entry of an IP address. Throws `NetlinkDecodeError`. */
export function decodeNeighbour(payload: Uint8Array): Neighbour | undefined {
  const { fixed, attributes } = splitPayload(payload, fixedLength);
  const address = ipOf(fixed.getUint8(0), attributes.get(attribute.destination));
  const mac = attributes.get(attribute.mac);
  if (address === undefined || mac === undefined || (fixed.getUint16(8, true) & permanent) === 0) return undefined;
  return {
    linkIndex: fixed.getInt32(4, true),
    address,
    mac: formatMac(mac),
    protocol: attributes.get(attribute.protocol)?.[0] ?? 0,
  };
}

/** What a message of the kernel says of any neighbour, also a passing one; undefined for other messages. */
export function neighbourChange(
  type: number,
  payload: Uint8Array,
): { readonly family: number; readonly protocol: number } | undefined {
  if (type !== neighbourType.new && type !== neighbourType.delete) return undefined;
  const { fixed, attributes } = splitPayload(payload, fixedLength);
  return { family: fixed.getUint8(0), protocol: attributes.get(attribute.protocol)?.[0] ?? 0 };
}

function write(writer: MessageWriter, { linkIndex, address, mac, protocol }: Neighbour): MessageWriter {
  return writer
    .u8(kernelFamily(address))
    .u8(0)
    .u16(0)
    .u32(linkIndex)
    .u16(permanent)
    .u16(0)
    .attribute(attribute.destination, ipToBytes(address))
    .attribute(attribute.mac, parseMac(mac))
    .attribute(attribute.protocol, Uint8Array.of(protocol));
}
