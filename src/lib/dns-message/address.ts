/** Addresses between their text and the bytes of A and AAAA records. IPv4 avoids `lib/ip`: it is in every message. */
import { ipFromBytes, ipToBytes, parseIpAddress } from "../ip/index.ts";
import { DnsMessageError } from "./message.ts";

/** "10.96.0.10" from four bytes. */
export function readIpv4(bytes: Uint8Array, start: number): string {
  return `${bytes[start]}.${bytes[start + 1]}.${bytes[start + 2]}.${bytes[start + 3]}`;
}

/** RFC 5952's one spelling, from sixteen bytes. */
export function readIpv6(bytes: Uint8Array, start: number): string {
  return ipFromBytes(bytes.subarray(start, start + 16));
}

/** Throws `DnsMessageError` where the text is no IPv4 address. */
export function ipv4Bytes(address: string): readonly number[] {
  const parts = address.split(".");
  const bytes = parts.map(Number);
  const isRight = (part: string, index: number): boolean => /^\d{1,3}$/.test(part) && (bytes[index] ?? 256) < 256;
  if (parts.length !== 4 || !parts.every(isRight))
    throw new DnsMessageError(`Cannot write A record: "${address}" is no IPv4 address`);
  return bytes;
}

/** Throws `DnsMessageError` where the text is no IPv6 address. */
export function ipv6Bytes(address: string): Uint8Array {
  if (!address.includes(":")) throw new DnsMessageError(`Cannot write AAAA record: "${address}" is no IPv6 address`);
  try {
    return ipToBytes(parseIpAddress(address));
  } catch (error) {
    throw new DnsMessageError(`Cannot write AAAA record: "${address}" is no IPv6 address`, { cause: error });
  }
}
