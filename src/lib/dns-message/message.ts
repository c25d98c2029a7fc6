/** A DNS message as data (RFC 1035, with EDNS0 of RFC 6891 lifted out of the additional section). */

/** Codes of the record types this codec knows by name; any other travels as `OPAQUE`. */
export const recordTypes = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  SVCB: 64,
  HTTPS: 65,
  AXFR: 252,
  ANY: 255,
} as const;

export const recordClasses = { IN: 1, CH: 3, ANY: 255 } as const;

export const opcodes = { QUERY: 0, NOTIFY: 4, UPDATE: 5 } as const;

/** BADVERS needs EDNS: its upper bits travel in the OPT record. */
export const rcodes = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const;

/** Names are absolute, in presentation form with the final dot and `\.` or `\DDD` where a label needs it. */
export interface Question {
  readonly name: string;
  /** A value of `recordTypes`, or any other number from 0 to 65535. */
  readonly type: number;
  readonly class: number;
}

export type RecordData =
  | { readonly type: "A" | "AAAA"; readonly address: string }
  | { readonly type: "NS" | "CNAME" | "PTR"; readonly target: string }
  | {
      readonly type: "SOA";
      readonly primary: string;
      readonly mailbox: string;
      readonly serial: number;
      readonly refreshSeconds: number;
      readonly retrySeconds: number;
      readonly expireSeconds: number;
      readonly minimumSeconds: number;
    }
  | { readonly type: "MX"; readonly preference: number; readonly exchange: string }
  /** One character per byte (U+0000 to U+00FF), each text at most 255 of them. */
  | { readonly type: "TXT"; readonly texts: readonly string[] }
  | {
      readonly type: "SRV";
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    }
  /** SVCB, HTTPS and everything else: the bytes as they came, never interpreted. */
  | { readonly type: "OPAQUE"; readonly code: number; readonly bytes: Uint8Array };

export interface ResourceRecord {
  readonly name: string;
  readonly class: number;
  readonly ttlSeconds: number;
  readonly data: RecordData;
}

export interface EdnsOption {
  readonly code: number;
  readonly bytes: Uint8Array;
}

export interface Edns {
  readonly udpPayloadBytes: number;
  readonly version: number;
  readonly isDnssecOk: boolean;
  readonly options: readonly EdnsOption[];
}

export interface DnsMessage {
  readonly id: number;
  readonly isResponse: boolean;
  readonly opcode: number;
  readonly isAuthoritative: boolean;
  readonly isTruncated: boolean;
  readonly isRecursionDesired: boolean;
  readonly isRecursionAvailable: boolean;
  readonly isAuthenticData: boolean;
  readonly isCheckingDisabled: boolean;
  /** With the OPT record's upper bits: 0 to 4095. */
  readonly rcode: number;
  readonly questions: readonly Question[];
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  /** Without OPT, which is `edns`. */
  readonly additionals: readonly ResourceRecord[];
  readonly edns?: Edns;
}

/** The bytes are no DNS message, or the data cannot be written as one. */
export class DnsMessageError extends Error {
  readonly code = "DnsMessageMalformed";
}

/** The number under which a record of this data travels. */
export function typeCodeOf(data: RecordData): number {
  return data.type === "OPAQUE" ? data.code : recordTypes[data.type];
}

const typeNames = new Map<number, string>(Object.entries(recordTypes).map(([name, code]) => [code, name]));

/** "AAAA", or "TYPE4711" (RFC 3597) for a type without a name here. */
export function typeName(code: number): string {
  return typeNames.get(code) ?? `TYPE${code}`;
}

const rcodeNames = new Map<number, string>(Object.entries(rcodes).map(([name, code]) => [code, name]));

/** "NXDOMAIN", or "RCODE23" for one without a name here. */
export function rcodeName(code: number): string {
  return rcodeNames.get(code) ?? `RCODE${code}`;
}
