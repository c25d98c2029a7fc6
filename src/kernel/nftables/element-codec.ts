/**
 * Elements of sets and maps in nfnetlink's form (<linux/netfilter/nf_tables.h>). In concatenated keys each field is
 * padded to 4 bytes; addresses and ports are in network order, marks in the machine's (little-endian wherever we run),
 * but in sets of intervals, which compare bytes from the left, in network order too: so nft's rules look them up.
 * Intervals only of several fields: those of one field have another form (two elements each), which we do not use.
 */
import {
  cidrNetwork,
  ipFromBytes,
  ipToBytes,
  nthAddress,
  rangeToCidrs,
  type Cidr,
  type IpAddress,
} from "../../lib/ip/index.ts";
import { provenanceText, type Provenance } from "../../model/provenance.ts";
import {
  commentText,
  type Element,
  type ElementData,
  type Family,
  type FieldType,
  type SetDeclaration,
  type Value,
} from "../../model/rules/index.ts";
import {
  messageFlag,
  type MessageWriter,
  NetlinkDecodeError,
  readAttributes,
  readText,
  splitPayload,
} from "../rtnetlink/wire.ts";
import { subsystem, type Request } from "../nfnetlink/index.ts";

/** An element as the kernel has it. */
export interface KernelElement {
  readonly key: readonly Value[];
  readonly data?: ElementData;
  readonly comment?: string;
}

export const familyNumber: Readonly<Record<Family, number>> = { ip: 2, ip6: 10 };
const message = { newElement: 12, getElements: 13, deleteElement: 14 } as const;
const listAttribute = { table: 1, set: 2, elements: 3 } as const;
const listItem = 1;
const elementAttribute = { key: 1, data: 2, flags: 3, userData: 6, keyEnd: 10 } as const;
export const dataAttribute = { value: 1, verdict: 2 } as const;
export const verdictAttribute = { code: 1, chain: 2 } as const;
/** Numbers of the verdicts, as unsigned 32-bit. */
export const verdictCode = { drop: 0, accept: 1, jump: 0xffff_fffd, goto: 0xffff_fffc, return: 0xffff_fffb } as const;
const protocolNumber: Readonly<Record<string, number>> = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58, sctp: 132 };
const protocolName = new Map(Object.entries(protocolNumber).map(([name, number]) => [number, name]));
/** libnftnl's type of a comment within the user data. */
const commentType = 0;
/** The end of an interval in a set with one field. */
const intervalEndFlag = 1;
/** A nested attribute's length has 16 bits. */
const elementsPerMessage = 150;

/** Messages that add or remove `elements`, which are all of the set `declaration`, in their order. */
export function encodeElements(
  verb: "add" | "delete",
  declaration: SetDeclaration,
  elements: readonly Element[],
): readonly Request[] {
  const requests: Request[] = [];
  for (let start = 0; start < elements.length; start += elementsPerMessage) {
    const slice = elements.slice(start, start + elementsPerMessage);
    const first = slice[0];
    if (first === undefined) break;
    requests.push({
      type: (subsystem.nftables << 8) | (verb === "add" ? message.newElement : message.deleteElement),
      flags: verb === "add" ? messageFlag.create : 0,
      family: familyNumber[first.family],
      write: (writer) => {
        writer.attributeText(listAttribute.table, first.table).attributeText(listAttribute.set, first.set);
        writer.nested(listAttribute.elements, () => {
          for (const element of slice) {
            writer.nested(listItem, () => writeElement(writer, declaration, element, verb === "add"));
          }
        });
      },
    });
  }
  return requests;
}

function writeElement(writer: MessageWriter, declaration: SetDeclaration, element: Element, isWhole: boolean): void {
  const { key, data } = element;
  const isInterval = declaration.flags?.includes("interval") === true;
  const bounds = isInterval ? boundsOf(key) : { first: key, last: key };
  writeValue(writer, elementAttribute.key, encodeValues(declaration.key, bounds.first, isInterval));
  if (isInterval) writeValue(writer, elementAttribute.keyEnd, encodeValues(declaration.key, bounds.last, isInterval));
  if (!isWhole) return;
  if (data !== undefined) writeData(writer, declaration, data);
  writer.attribute(elementAttribute.userData, commentOf(element.cause));
}

const textEncoder = new TextEncoder();
/** Elements of one cause come one after the other. */
let lastComment: { readonly cause: Provenance; readonly bytes: Uint8Array } | undefined;

function commentOf(cause: Provenance): Uint8Array {
  if (lastComment?.cause === cause) return lastComment.bytes;
  const text = textEncoder.encode(`${commentText(provenanceText(cause))}\0`);
  const bytes = new Uint8Array(text.length + 2);
  bytes[0] = commentType;
  bytes[1] = text.length;
  bytes.set(text, 2);
  lastComment = { cause, bytes };
  return bytes;
}

function writeData(writer: MessageWriter, declaration: SetDeclaration, data: ElementData): void {
  if ("values" in data) {
    const types = declaration.data === undefined || declaration.data === "verdict" ? [] : declaration.data;
    writeValue(writer, elementAttribute.data, encodeValues(types, data.values));
    return;
  }
  const { verdict } = data;
  writer.nested(elementAttribute.data, () => {
    writer.nested(dataAttribute.verdict, () => {
      const code = new Uint8Array(4);
      new DataView(code.buffer).setUint32(0, verdictCode[verdict.kind]);
      writer.attribute(verdictAttribute.code, code);
      if ("chain" in verdict) writer.attributeText(verdictAttribute.chain, verdict.chain);
    });
  });
}

function writeValue(writer: MessageWriter, attribute: number, bytes: Uint8Array): void {
  writer.nested(attribute, () => writer.attribute(dataAttribute.value, bytes));
}

function encodeValues(types: readonly FieldType[], values: readonly Value[], isInterval = false): Uint8Array {
  if (types.length === 1 && types[0] !== undefined) return encodeField(types[0], values[0], isInterval);
  const parts: Uint8Array[] = [];
  let length = 0;
  for (const [index, type] of types.entries()) {
    const part = encodeField(type, values[index], isInterval);
    parts.push(part);
    length += padded(part.length);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += padded(part.length);
  }
  return bytes;
}

function encodeField(type: FieldType, value: Value | undefined, isInterval: boolean): Uint8Array {
  if (type === "address" && typeof value === "string") return ipToBytes(value as IpAddress);
  if (type === "protocol") {
    const number = protocolNumber[String(value)];
    if (number !== undefined) return Uint8Array.of(number);
  }
  if (typeof value !== "number" || type === "address" || type === "protocol") {
    throw new TypeError(`Cannot encode "${value}": it is no ${type}`);
  }
  if (type === "port") return Uint8Array.of(value >> 8, value & 255);
  const mark = new Uint8Array(4);
  new DataView(mark.buffer).setUint32(0, value, !isInterval);
  return mark;
}

function boundsOf(key: readonly Value[]): { readonly first: readonly Value[]; readonly last: readonly Value[] } {
  return {
    first: key.map((value) => (isCidr(value) ? cidrNetwork(value) : value)),
    last: key.map((value) => (isCidr(value) ? nthAddress(value, -1) : value)),
  };
}

function isCidr(value: Value): value is Cidr {
  return typeof value === "string" && value.includes("/");
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

/** Asks for all elements of a set. */
export function encodeElementsQuery(family: Family, table: string, set: string): Request {
  return {
    type: (subsystem.nftables << 8) | message.getElements,
    flags: messageFlag.dump,
    family: familyNumber[family],
    write: (writer) => {
      writer.attributeText(listAttribute.table, table).attributeText(listAttribute.set, set);
    },
  };
}

/**
 * The elements of one answer. Throws `NetlinkDecodeError` where the bytes do not have the form of `declaration`. Intervals
 * come as prefixes where they are one, else as `first-last`.
 */
export function decodeElements(
  payload: Uint8Array,
  form: { readonly family: Family; readonly declaration: SetDeclaration },
): readonly KernelElement[] {
  const list = splitPayload(payload, 4).attributes.get(listAttribute.elements);
  return list === undefined ? [] : listItems(list).flatMap((item) => decodeElement(item, form) ?? []);
}

/** How many elements one answer has, whatever their form; the ends of intervals are none. Throws `NetlinkDecodeError`. */
export function countElements(payload: Uint8Array): number {
  const list = splitPayload(payload, 4).attributes.get(listAttribute.elements);
  return list === undefined ? 0 : listItems(list).filter((item) => !isIntervalEnd(readAttributes(item))).length;
}

/** An end without a begin: the open side of a set of intervals. */
function isIntervalEnd(attributes: ReadonlyMap<number, Uint8Array>): boolean {
  return ((attributes.get(elementAttribute.flags)?.[3] ?? 0) & intervalEndFlag) !== 0;
}

/** The members of a list, which all have the same type and so are lost in a map by type. */
function listItems(bytes: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const items: Uint8Array[] = [];
  for (let offset = 0; offset + 4 <= bytes.length;) {
    const length = view.getUint16(offset, true);
    if (length < 4 || length > bytes.length - offset) {
      throw new NetlinkDecodeError(`Cannot read netlink list: a length of ${length} does not fit`);
    }
    items.push(bytes.subarray(offset + 4, offset + length));
    offset += padded(length);
  }
  return items;
}

function decodeElement(
  item: Uint8Array,
  { family, declaration }: { readonly family: Family; readonly declaration: SetDeclaration },
): KernelElement | undefined {
  const attributes = readAttributes(item);
  if (isIntervalEnd(attributes)) return undefined;
  const isInterval = declaration.flags?.includes("interval") === true;
  const first = decodeValue(attributes.get(elementAttribute.key), declaration.key, { family, isInterval });
  if (first === undefined) return undefined;
  const last = decodeValue(attributes.get(elementAttribute.keyEnd), declaration.key, { family, isInterval });
  const key = last === undefined ? first : first.map((value, index) => intervalText(value, last[index] ?? value));
  const data = decodeData(attributes.get(elementAttribute.data), declaration, family);
  const comment = decodeComment(attributes.get(elementAttribute.userData));
  return { key, ...(data === undefined ? {} : { data }), ...(comment === undefined ? {} : { comment }) };
}

function intervalText(first: Value, last: Value): Value {
  if (typeof first !== "string" || typeof last !== "string" || !/[.:]/.test(first)) return first;
  const [cidr, ...others] = rangeToCidrs({ first: first as IpAddress, last: last as IpAddress });
  return cidr !== undefined && others.length === 0 ? cidr : `${first}-${last}`;
}

function decodeValue(
  attribute: Uint8Array | undefined,
  types: readonly FieldType[],
  { family, isInterval }: { readonly family: Family; readonly isInterval: boolean },
): readonly Value[] | undefined {
  if (attribute === undefined) return undefined;
  const bytes = readAttributes(attribute).get(dataAttribute.value);
  if (bytes === undefined) return undefined;
  const values: Value[] = [];
  let offset = 0;
  for (const type of types) {
    const length = fieldLength(type, family);
    if (offset + length > bytes.length) {
      throw new NetlinkDecodeError(`Cannot read element: ${bytes.length} bytes are too few for ${types.join(" . ")}`);
    }
    values.push(decodeField(type, bytes.subarray(offset, offset + length), isInterval));
    offset += types.length > 1 ? padded(length) : length;
  }
  return values;
}

function fieldLength(type: FieldType, family: Family): number {
  if (type === "address") return family === "ip" ? 4 : 16;
  return { protocol: 1, port: 2, mark: 4, "source-low-96": 12 }[type];
}

function decodeField(type: FieldType, bytes: Uint8Array, isInterval: boolean): Value {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (type === "address") return ipFromBytes(bytes);
  if (type === "protocol") return protocolName.get(view.getUint8(0)) ?? String(view.getUint8(0));
  if (type === "port") return view.getUint16(0);
  return type === "mark" ? view.getUint32(0, !isInterval) : Buffer.from(bytes).toString("hex");
}

function decodeData(
  attribute: Uint8Array | undefined,
  declaration: SetDeclaration,
  family: Family,
): ElementData | undefined {
  if (attribute === undefined || declaration.data === undefined) return undefined;
  if (declaration.data !== "verdict") {
    const values = decodeValue(attribute, declaration.data, { family, isInterval: false });
    return values === undefined ? undefined : { values };
  }
  const verdict = readAttributes(attribute).get(dataAttribute.verdict);
  if (verdict === undefined) return undefined;
  const attributes = readAttributes(verdict);
  const code = attributes.get(verdictAttribute.code);
  if (code?.length !== 4) throw new NetlinkDecodeError("Cannot read element: its verdict has no code");
  const number = new DataView(code.buffer, code.byteOffset, 4).getUint32(0);
  const chain = readText(attributes.get(verdictAttribute.chain)) ?? "";
  if (number === verdictCode.goto) return { verdict: { kind: "goto", chain } };
  if (number === verdictCode.jump) return { verdict: { kind: "jump", chain } };
  if (number === verdictCode.return) return { verdict: { kind: "return" } };
  return { verdict: { kind: number === verdictCode.accept ? "accept" : "drop" } };
}

/** The comment in what nft keeps beside an object. */
export function decodeComment(userData: Uint8Array = new Uint8Array()): string | undefined {
  for (let offset = 0; offset + 2 <= userData.length;) {
    const length = userData[offset + 1] ?? 0;
    if (userData[offset] === commentType) return readText(userData.subarray(offset + 2, offset + 2 + length));
    offset += 2 + length;
  }
  return undefined;
}
