/** Links: struct ifinfomsg and the IFLA_ attributes (<linux/if_link.h>). */
import { formatMac, parseMac } from "./mac.ts";
import { readVxlan, type VxlanSettings, writeVxlan } from "./vxlan.ts";
import { messageFlag, MessageWriter, readAttributes, readText, readU32, splitPayload } from "./wire.ts";

/** RTM_ message types. */
const linkType = { new: 16, delete: 17, get: 18, set: 19 } as const;

const attribute = {
  address: 1,
  name: 3,
  mtu: 4,
  master: 10,
  info: 18,
  alias: 20,
  namespaceFd: 28,
  extendedMask: 29,
} as const;
const infoAttribute = { kind: 1, data: 2 } as const;
const vethPeer = 1;
const isUpFlag = 1;
/** Leaves the counters out of an answer, most of its bytes. */
const skipStatistics = 1 << 3;
const fixedLength = 16;

export interface Link {
  readonly index: number;
  readonly name: string;
  /** "veth", "bridge", "vxlan"; "" for a link without a driver of its own, such as the loopback. */
  readonly kind: string;
  readonly isUp: boolean;
  readonly mtuBytes: number;
  /** "ee:ee:ee:ee:ee:ee". */
  readonly mac: string;
  /** The text set by whoever made it; "" without. */
  readonly alias: string;
  /** Index of the bridge it is in. */
  readonly masterIndex: number | undefined;
  /** Of a link of that kind. */
  readonly vxlan?: VxlanSettings;
}

/** Without an alias: the kernel takes one only for a link that exists. */
export interface NewLink {
  readonly name: string;
  readonly kind: "veth" | "bridge" | "vxlan";
  readonly mac?: string;
  readonly mtuBytes?: number;
  /** Made up at once. */
  readonly isUp?: boolean;
  readonly masterIndex?: number;
  /** The other end of a veth, made in the namespace that `namespaceFd` refers to. */
  readonly peer?: {
    readonly name: string;
    readonly namespaceFd: number;
    readonly mac?: string;
    readonly mtuBytes?: number;
  };
  /** The kernel refuses a link of that kind without them. */
  readonly vxlan?: VxlanSettings;
}

export interface LinkChange {
  readonly name?: string;
  readonly mac?: string;
  readonly mtuBytes?: number;
  readonly alias?: string;
  readonly isUp?: boolean;
  /** 0 takes it out of its bridge. */
  readonly masterIndex?: number;
}

export function encodeNewLink(link: NewLink, sequence: number): Uint8Array {
  const flags = messageFlag.request | messageFlag.ack | messageFlag.create | messageFlag.exclusive;
  const writer = new MessageWriter().begin(linkType.new, flags, sequence);
  writeFixed(writer, 0, link.isUp);
  writeCommon(writer, link);
  writer.nested(attribute.info, () => {
    writer.attributeText(infoAttribute.kind, link.kind);
    const { peer, vxlan } = link;
    if (vxlan !== undefined) writer.nested(infoAttribute.data, () => writeVxlan(writer, vxlan));
    if (peer === undefined) return;
    writer.nested(infoAttribute.data, () => {
      writer.nested(vethPeer, () => {
        writeFixed(writer, 0, undefined);
        writeCommon(writer, peer);
        writer.attributeU32(attribute.namespaceFd, peer.namespaceFd);
      });
    });
  });
  return writer.finish();
}

export function encodeLinkChange(index: number, change: LinkChange, sequence: number): Uint8Array {
  const writer = new MessageWriter().begin(linkType.set, messageFlag.request | messageFlag.ack, sequence);
  writeFixed(writer, index, change.isUp);
  writeCommon(writer, change);
  return writer.finish();
}

export function encodeLinkDeletion(index: number, sequence: number): Uint8Array {
  const writer = new MessageWriter().begin(linkType.delete, messageFlag.request | messageFlag.ack, sequence);
  return writeFixed(writer, index, undefined).finish();
}

/** Asks for one link by its name, or for all. */
export function encodeLinkQuery(name: string | undefined, sequence: number): Uint8Array {
  const flags = messageFlag.request | (name === undefined ? messageFlag.dump : messageFlag.ack);
  const writer = new MessageWriter().begin(linkType.get, flags, sequence);
  writeFixed(writer, 0, undefined);
  if (name !== undefined) writer.attributeText(attribute.name, name);
  return writer.attributeU32(attribute.extendedMask, skipStatistics).finish();
}

/** Throws `NetlinkDecodeError`. */
export function decodeLink(payload: Uint8Array): Link {
  const { fixed, attributes } = splitPayload(payload, fixedLength);
  const info = readAttributes(attributes.get(attribute.info) ?? new Uint8Array());
  const kind = readText(info.get(infoAttribute.kind)) ?? "";
  const vxlan = kind === "vxlan" ? readVxlan(info.get(infoAttribute.data) ?? new Uint8Array()) : undefined;
  return {
    index: fixed.getInt32(4, true),
    name: readText(attributes.get(attribute.name)) ?? "",
    kind,
    isUp: (fixed.getUint32(8, true) & isUpFlag) !== 0,
    mtuBytes: readU32(attributes.get(attribute.mtu)) ?? 0,
    mac: formatMac(attributes.get(attribute.address) ?? new Uint8Array()),
    alias: readText(attributes.get(attribute.alias)) ?? "",
    masterIndex: readU32(attributes.get(attribute.master)),
    ...(vxlan === undefined ? {} : { vxlan }),
  };
}

function writeFixed(writer: MessageWriter, index: number, isUp: boolean | undefined): MessageWriter {
  return writer
    .u8(0)
    .u8(0)
    .u16(0)
    .u32(index)
    .u32(isUp === true ? isUpFlag : 0)
    .u32(isUp === undefined ? 0 : isUpFlag);
}

function writeCommon(writer: MessageWriter, link: LinkChange): void {
  if (link.name !== undefined) writer.attributeText(attribute.name, link.name);
  if (link.mac !== undefined) writer.attribute(attribute.address, parseMac(link.mac));
  if (link.mtuBytes !== undefined) writer.attributeU32(attribute.mtu, link.mtuBytes);
  if (link.alias !== undefined) writer.attributeText(attribute.alias, link.alias);
  if (link.masterIndex !== undefined) writer.attributeU32(attribute.master, link.masterIndex);
}
