/** Addresses of links: struct ifaddrmsg and the IFA_ attributes (<linux/if_addr.h>). */
import { ipFamily, type IpAddress, ipToBytes } from "../../lib/ip/index.ts";
import { ipOf, kernelFamily } from "./family.ts";
import { messageFlag, MessageWriter, splitPayload } from "./wire.ts";

const addressType = { new: 20, delete: 21, get: 22 } as const;

const attribute = { address: 1, local: 2, protocol: 11 } as const;
const noDuplicateDetection = 0x02;
const fixedLength = 8;

export interface LinkAddress {
  readonly linkIndex: number;
  readonly address: IpAddress;
  readonly prefix: number;
  /** Who set it, as with routes; 0 is nobody in particular, and all that a kernel before 5.18 knows. */
  readonly protocol: number;
}

export function encodeNewAddress(address: LinkAddress, sequence: number): Uint8Array {
  // Replace makes a repeated request harmless.
  const flags = messageFlag.request | messageFlag.ack | messageFlag.create | messageFlag.replace;
  return write(new MessageWriter().begin(addressType.new, flags, sequence), address).finish();
}

export function encodeAddressDeletion(address: LinkAddress, sequence: number): Uint8Array {
  const flags = messageFlag.request | messageFlag.ack;
  return write(new MessageWriter().begin(addressType.delete, flags, sequence), address).finish();
}

export function encodeAddressQuery(sequence: number): Uint8Array {
  const writer = new MessageWriter().begin(addressType.get, messageFlag.request | messageFlag.dump, sequence);
  return writer.u32(0).u32(0).finish();
}

/** Undefined for a family that is neither IPv4 nor IPv6. Throws `NetlinkDecodeError`. */
export function decodeAddress(payload: Uint8Array): LinkAddress | undefined {
  const { fixed, attributes } = splitPayload(payload, fixedLength);
  // On a point-to-point link IFA_ADDRESS is the other end and IFA_LOCAL ours; IPv6 has IFA_ADDRESS only.
  const address = ipOf(fixed.getUint8(0), attributes.get(attribute.local) ?? attributes.get(attribute.address));
  if (address === undefined) return undefined;
  return {
    linkIndex: fixed.getUint32(4, true),
    address,
    prefix: fixed.getUint8(1),
    protocol: attributes.get(attribute.protocol)?.[0] ?? 0,
  };
}

function write(writer: MessageWriter, { linkIndex, address, prefix, protocol }: LinkAddress): MessageWriter {
  const isV6 = ipFamily(address) === "IPv6";
  const bytes = ipToBytes(address);
  writer
    .u8(kernelFamily(address))
    .u8(prefix)
    .u8(isV6 ? noDuplicateDetection : 0)
    .u8(scopeOf(address))
    .u32(linkIndex);
  return writer
    .attribute(attribute.local, bytes)
    .attribute(attribute.address, bytes)
    .attribute(attribute.protocol, Uint8Array.of(protocol));
}

/** As `ip address add` chooses it: host for loopback addresses; for IPv6 the kernel derives it itself. */
function scopeOf(address: IpAddress): number {
  return address.startsWith("127.") ? 254 : 0;
}
