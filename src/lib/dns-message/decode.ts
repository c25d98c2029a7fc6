/** Wire form to data. Whatever the bytes, it ends: with a message or with `DnsMessageError`. */
import { readIpv4, readIpv6 } from "./address.ts";
import type { DnsMessage, Edns, EdnsOption, Question, RecordData, ResourceRecord } from "./message.ts";
import { DnsMessageError, recordTypes } from "./message.ts";
import { readName } from "./name.ts";

const headerBytes = 12;

interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

/** Bytes behind the last record are ignored, as resolvers do. Throws `DnsMessageError`. */
export function decodeMessage(bytes: Uint8Array): DnsMessage {
  if (bytes.length < headerBytes)
    throw new DnsMessageError(`Cannot decode DNS message: ${bytes.length} bytes are less than a header`);
  const flags = uint16(bytes, 2);
  const cursor: Cursor = { bytes, at: headerBytes };
  const questions = repeat(uint16(bytes, 4), () => readQuestion(cursor));
  const answers = repeat(uint16(bytes, 6), () => readRecord(cursor));
  const authorities = repeat(uint16(bytes, 8), () => readRecord(cursor));
  const additional = repeat(uint16(bytes, 10), () => readRecord(cursor));
  const opt = additional.filter(isOpt);
  if (opt.length > 1) throw new DnsMessageError("Cannot decode DNS message: it has more than one OPT record");
  const [first] = opt;
  const message = {
    id: uint16(bytes, 0),
    isResponse: (flags & 0x8000) !== 0,
    opcode: (flags >> 11) & 0xf,
    isAuthoritative: (flags & 0x0400) !== 0,
    isTruncated: (flags & 0x0200) !== 0,
    isRecursionDesired: (flags & 0x0100) !== 0,
    isRecursionAvailable: (flags & 0x0080) !== 0,
    isAuthenticData: (flags & 0x0020) !== 0,
    isCheckingDisabled: (flags & 0x0010) !== 0,
    rcode: flags & 0xf,
    questions,
    answers,
    authorities,
    additionals: additional,
  };
  if (first === undefined) return message;
  return {
    ...message,
    rcode: message.rcode | ((first.ttlSeconds >>> 24) << 4),
    additionals: additional.filter((record) => !isOpt(record)),
    edns: ednsOf(first),
  };
}

function repeat<T>(count: number, read: () => T): readonly T[] {
  const items: T[] = [];
  for (let done = 0; done < count; done += 1) items.push(read());
  return items;
}

function readQuestion(cursor: Cursor): Question {
  const { name, end } = readName(cursor.bytes, cursor.at);
  need(cursor.bytes, end, 4, "a question");
  cursor.at = end + 4;
  return { name, type: uint16(cursor.bytes, end), class: uint16(cursor.bytes, end + 2) };
}

function readRecord(cursor: Cursor): ResourceRecord {
  const { bytes } = cursor;
  const { name, end } = readName(bytes, cursor.at);
  need(bytes, end, 10, "a record");
  const type = uint16(bytes, end);
  const length = uint16(bytes, end + 8);
  const start = end + 10;
  need(bytes, start, length, "a record's data");
  cursor.at = start + length;
  return {
    name,
    class: uint16(bytes, end + 2),
    ttlSeconds: uint32(bytes, end + 4),
    data: readData({ bytes, type, start, end: start + length }),
  };
}

interface DataSpan {
  readonly bytes: Uint8Array;
  readonly type: number;
  readonly start: number;
  readonly end: number;
}

function readData(span: DataSpan): RecordData {
  const { bytes, type, start } = span;
  switch (type) {
    case recordTypes.A:
      fill(span, start + 4);
      return { type: "A", address: readIpv4(bytes, start) };
    case recordTypes.AAAA:
      fill(span, start + 16);
      return { type: "AAAA", address: readIpv6(bytes, start) };
    case recordTypes.NS:
      return { type: "NS", target: readOnlyName(span, start) };
    case recordTypes.CNAME:
      return { type: "CNAME", target: readOnlyName(span, start) };
    case recordTypes.PTR:
      return { type: "PTR", target: readOnlyName(span, start) };
    case recordTypes.MX:
      need(bytes, start, 2, "an MX record");
      return { type: "MX", preference: uint16(bytes, start), exchange: readOnlyName(span, start + 2) };
    case recordTypes.SRV:
      need(bytes, start, 6, "an SRV record");
      return {
        type: "SRV",
        priority: uint16(bytes, start),
        weight: uint16(bytes, start + 2),
        port: uint16(bytes, start + 4),
        target: readOnlyName(span, start + 6),
      };
    case recordTypes.SOA:
      return readSoa(span);
    case recordTypes.TXT:
      return { type: "TXT", texts: readTexts(span) };
    default:
      return { type: "OPAQUE", code: type, bytes: copy(bytes, start, span.end) };
  }
}

function readSoa(span: DataSpan): RecordData {
  const primary = readName(span.bytes, span.start);
  const mailbox = readName(span.bytes, primary.end);
  const at = mailbox.end;
  fill(span, at + 20);
  return {
    type: "SOA",
    primary: primary.name,
    mailbox: mailbox.name,
    serial: uint32(span.bytes, at),
    refreshSeconds: uint32(span.bytes, at + 4),
    retrySeconds: uint32(span.bytes, at + 8),
    expireSeconds: uint32(span.bytes, at + 12),
    minimumSeconds: uint32(span.bytes, at + 16),
  };
}

function readTexts(span: DataSpan): readonly string[] {
  const texts: string[] = [];
  let at = span.start;
  while (at < span.end) {
    const next = at + 1 + (span.bytes[at] ?? 0);
    if (next > span.end) throw new DnsMessageError(`Cannot decode DNS message: a text at byte ${at} leaves its record`);
    texts.push(latin1(span.bytes, at + 1, next));
    at = next;
  }
  return texts;
}

/** `slice` of a Buffer would share its memory with the socket's next message. */
function copy(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return Uint8Array.from(bytes.subarray(start, end));
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
}

function readOnlyName(span: DataSpan, at: number): string {
  const { name, end } = readName(span.bytes, at);
  fill(span, end);
  return name;
}

function fill(span: DataSpan, end: number): void {
  if (end !== span.end)
    throw new DnsMessageError(
      `Cannot decode DNS message: the record data at byte ${span.start} is ${span.end - span.start} bytes long but needs ${end - span.start}`,
    );
}

function isOpt(record: ResourceRecord): boolean {
  return record.data.type === "OPAQUE" && record.data.code === recordTypes.OPT;
}

/** In OPT the class is the payload size, the TTL holds rcode bits, version and flags (RFC 6891 section 6.1.3). */
function ednsOf(record: ResourceRecord): Edns {
  return {
    udpPayloadBytes: record.class,
    version: (record.ttlSeconds >>> 16) & 0xff,
    isDnssecOk: (record.ttlSeconds & 0x8000) !== 0,
    options: record.data.type === "OPAQUE" ? optionsOf(record.data.bytes) : [],
  };
}

function optionsOf(bytes: Uint8Array): readonly EdnsOption[] {
  const options: EdnsOption[] = [];
  for (let at = 0; at < bytes.length;) {
    need(bytes, at, 4, "an EDNS option");
    const length = uint16(bytes, at + 2);
    need(bytes, at + 4, length, "an EDNS option");
    options.push({ code: uint16(bytes, at), bytes: copy(bytes, at + 4, at + 4 + length) });
    at += 4 + length;
  }
  return options;
}

function need(bytes: Uint8Array, at: number, length: number, what: string): void {
  if (at + length > bytes.length)
    throw new DnsMessageError(`Cannot decode DNS message: ${what} at byte ${at} runs past the end of the message`);
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function uint32(bytes: Uint8Array, at: number): number {
  return (uint16(bytes, at) * 0x1_0000 + uint16(bytes, at + 2)) >>> 0;
}
