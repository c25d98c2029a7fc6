/** Data to wire form, with name compression, cut to what the client takes. */
import { ipv4Bytes, ipv6Bytes } from "./address.ts";
import type { DnsMessage, Edns, RecordData, ResourceRecord } from "./message.ts";
import { DnsMessageError, recordTypes, typeCodeOf } from "./message.ts";
import { labelsOf } from "./name.ts";

/** A pointer holds 14 bits: a name first written behind this offset cannot be pointed to. */
const lastPointer = 0x3fff;
/** The most a message can have: over TCP its length is two bytes. */
export const maxMessageBytes = 65_535;
/** What every client takes over UDP without EDNS (RFC 1035 section 4.2.1). */
export const plainUdpBytes = 512;

interface Writer {
  bytes: Buffer;
  at: number;
  /** Where each name suffix was written. */
  readonly names: Map<string, number>;
}

interface Mark {
  readonly at: number;
  /** How many names were known: those behind are forgotten when the writer goes back. */
  readonly names: number;
}

/**
 * The message in at most `maxBytes`. What does not fit is left out from the end: additional records silently, as they
 * are extra (RFC 2181 section 9), answers and authorities with the TC bit, so that the client asks again over TCP. The
 * OPT record always has its place. Throws `DnsMessageError` where a name or address is wrong or `maxBytes` is less than
 * header and questions.
 */
export function encodeMessage(message: DnsMessage, options: { readonly maxBytes?: number } = {}): Buffer {
  const maxBytes = Math.min(options.maxBytes ?? maxMessageBytes, maxMessageBytes);
  const writer: Writer = { bytes: Buffer.allocUnsafe(Math.min(maxBytes, 1024)), at: 12, names: new Map() };
  for (const question of message.questions) {
    writeName(writer, question.name);
    writeUint16(writer, question.type);
    writeUint16(writer, question.class);
  }
  const room = maxBytes - (message.edns === undefined ? 0 : optBytes(message.edns));
  if (writer.at > room) throw new DnsMessageError(`Cannot encode DNS message: its question exceeds ${maxBytes} bytes`);
  const answers = writeRecords(writer, message.answers, room);
  const isAnswerCut = answers < message.answers.length;
  const authorities = isAnswerCut ? 0 : writeRecords(writer, message.authorities, room);
  const isCut = isAnswerCut || authorities < message.authorities.length;
  const additionals = isCut ? 0 : writeRecords(writer, message.additionals, room);
  if (message.edns !== undefined) writeOpt(writer, message.edns, message.rcode);
  writeHeader(writer, message, {
    isTruncated: message.isTruncated || isCut,
    counts: [message.questions.length, answers, authorities, additionals + (message.edns === undefined ? 0 : 1)],
  });
  return writer.bytes.subarray(0, writer.at);
}

function writeHeader(
  writer: Writer,
  message: DnsMessage,
  written: { readonly isTruncated: boolean; readonly counts: readonly number[] },
): void {
  const flags =
    (message.isResponse ? 0x8000 : 0) |
    ((message.opcode & 0xf) << 11) |
    (message.isAuthoritative ? 0x0400 : 0) |
    (written.isTruncated ? 0x0200 : 0) |
    (message.isRecursionDesired ? 0x0100 : 0) |
    (message.isRecursionAvailable ? 0x0080 : 0) |
    (message.isAuthenticData ? 0x0020 : 0) |
    (message.isCheckingDisabled ? 0x0010 : 0) |
    (message.rcode & 0xf);
  writer.bytes.writeUInt16BE(message.id & 0xffff, 0);
  writer.bytes.writeUInt16BE(flags, 2);
  written.counts.forEach((count, index) => writer.bytes.writeUInt16BE(count, 4 + index * 2));
}

/** How many of the records fitted into `room` bytes of the message. */
function writeRecords(writer: Writer, records: readonly ResourceRecord[], room: number): number {
  let count = 0;
  for (const record of records) {
    const mark: Mark = { at: writer.at, names: writer.names.size };
    writeRecord(writer, record);
    if (writer.at > room) {
      goBack(writer, mark);
      return count;
    }
    count += 1;
  }
  return count;
}

/** A Map keeps the order of insertion, so the names written since the mark are its last ones. */
function goBack(writer: Writer, mark: Mark): void {
  writer.at = mark.at;
  [...writer.names.keys()].slice(mark.names).forEach((name) => writer.names.delete(name));
}

function writeRecord(writer: Writer, record: ResourceRecord): void {
  writeName(writer, record.name);
  writeUint16(writer, typeCodeOf(record.data));
  writeUint16(writer, record.class);
  writeUint32(writer, record.ttlSeconds);
  writeUint16(writer, 0);
  const start = writer.at;
  writeData(writer, record.data);
  if (writer.at - start > 0xffff) throw new DnsMessageError("Cannot encode DNS message: a record exceeds 65535 bytes");
  writer.bytes.writeUInt16BE(writer.at - start, start - 2);
}

function writeData(writer: Writer, data: RecordData): void {
  switch (data.type) {
    case "A":
      writeBytes(writer, ipv4Bytes(data.address));
      return;
    case "AAAA":
      writeBytes(writer, ipv6Bytes(data.address));
      return;
    case "NS":
    case "CNAME":
    case "PTR":
      writeName(writer, data.target);
      return;
    case "MX":
      writeUint16(writer, data.preference);
      writeName(writer, data.exchange);
      return;
    case "SRV":
      writeUint16(writer, data.priority);
      writeUint16(writer, data.weight);
      writeUint16(writer, data.port);
      // RFC 2782: the target must not be compressed.
      writeWholeName(writer, data.target);
      return;
    case "SOA":
      writeName(writer, data.primary);
      writeName(writer, data.mailbox);
      for (const value of [data.serial, data.refreshSeconds, data.retrySeconds, data.expireSeconds])
        writeUint32(writer, value);
      writeUint32(writer, data.minimumSeconds);
      return;
    case "TXT":
      for (const text of data.texts) writeText(writer, text);
      return;
    case "OPAQUE":
      writeBytes(writer, data.bytes);
  }
}

function writeText(writer: Writer, text: string): void {
  if (text.length > 255) throw new DnsMessageError(`Cannot encode DNS message: a text exceeds 255 bytes`);
  writeBytes(writer, [text.length]);
  writeBytes(writer, Buffer.from(text, "latin1"));
}

/** Written whole, except that a suffix already in the message becomes a pointer to it. */
function writeName(writer: Writer, name: string): void {
  const known = writer.names.get(name);
  if (known !== undefined) {
    writeUint16(writer, 0xc000 | known);
    return;
  }
  const labels = labelsOf(name);
  const isPlain = !name.includes("\\");
  let rest = name;
  for (const label of labels) {
    // With escapes in it, the text of the rest cannot be found by cutting: such a name is not a target of pointers.
    if (isPlain) {
      const earlier = writer.names.get(rest);
      if (earlier !== undefined) {
        writeUint16(writer, 0xc000 | earlier);
        return;
      }
      if (writer.at <= lastPointer) writer.names.set(rest, writer.at);
      rest = rest.slice(label.length + 1);
    }
    writeLabel(writer, label);
  }
  writeBytes(writer, [0]);
}

function writeWholeName(writer: Writer, name: string): void {
  for (const label of labelsOf(name)) writeLabel(writer, label);
  writeBytes(writer, [0]);
}

function writeLabel(writer: Writer, label: string): void {
  grow(writer, label.length + 1);
  writer.bytes[writer.at] = label.length;
  writer.at += 1 + writer.bytes.write(label, writer.at + 1, "latin1");
}

function optBytes(edns: Edns): number {
  return edns.options.reduce((sum, option) => sum + 4 + option.bytes.length, 11);
}

function writeOpt(writer: Writer, edns: Edns, rcode: number): void {
  writeBytes(writer, [0]);
  writeUint16(writer, recordTypes.OPT);
  writeUint16(writer, edns.udpPayloadBytes);
  writeUint32(writer, (((rcode >> 4) << 24) | (edns.version << 16) | (edns.isDnssecOk ? 0x8000 : 0)) >>> 0);
  writeUint16(writer, optBytes(edns) - 11);
  for (const option of edns.options) {
    writeUint16(writer, option.code);
    writeUint16(writer, option.bytes.length);
    writeBytes(writer, option.bytes);
  }
}

function writeUint16(writer: Writer, value: number): void {
  grow(writer, 2);
  writer.at = writer.bytes.writeUInt16BE(value & 0xffff, writer.at);
}

function writeUint32(writer: Writer, value: number): void {
  grow(writer, 4);
  writer.at = writer.bytes.writeUInt32BE(value >>> 0, writer.at);
}

function writeBytes(writer: Writer, bytes: ArrayLike<number>): void {
  grow(writer, bytes.length);
  writer.bytes.set(bytes, writer.at);
  writer.at += bytes.length;
}

function grow(writer: Writer, more: number): void {
  if (writer.at + more <= writer.bytes.length) return;
  const bigger = Buffer.allocUnsafe(Math.max(writer.bytes.length * 2, writer.at + more));
  writer.bytes.copy(bigger, 0, 0, writer.at);
  writer.bytes = bigger;
}
