/** Addresses between their text and the bytes of A and AAAA records. */
import { DnsMessageError } from "./message.ts";

/** "10.96.0.10" from four bytes. */
export function readIpv4(bytes: Uint8Array, start: number): string {
  return `${bytes[start]}.${bytes[start + 1]}.${bytes[start + 2]}.${bytes[start + 3]}`;
}

/** RFC 5952's one spelling, from sixteen bytes. */
export function readIpv6(bytes: Uint8Array, start: number): string {
  const groups = Array.from({ length: 8 }, (_, index) => {
    const at = start + index * 2;
    return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  });
  const zeros = longestZeroRun(groups);
  if (zeros.length < 2) return hexGroups(groups);
  return `${hexGroups(groups.slice(0, zeros.start))}::${hexGroups(groups.slice(zeros.start + zeros.length))}`;
}

function hexGroups(groups: readonly number[]): string {
  return groups.map((group) => group.toString(16)).join(":");
}

function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  groups.forEach((group, index) => {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  });
  return best;
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
export function ipv6Bytes(address: string): readonly number[] {
  const wrong = new DnsMessageError(`Cannot write AAAA record: "${address}" is no IPv6 address`);
  const halves = address.split("::");
  if (halves.length > 2) throw wrong;
  const [head = [], tail = []] = halves.map((half) => (half === "" ? [] : half.split(":").flatMap(groupsOf)));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) throw wrong;
  return [...head, ...Array<number>(missing).fill(0), ...tail].flatMap((group) => [group >> 8, group & 255]);

  function groupsOf(text: string, index: number, all: readonly string[]): readonly number[] {
    if (index === all.length - 1 && text.includes(".")) {
      const [a = 0, b = 0, c = 0, d = 0] = ipv4Bytes(text);
      return [(a << 8) | b, (c << 8) | d];
    }
    if (!/^[\da-f]{1,4}$/i.test(text)) throw wrong;
    return [Number.parseInt(text, 16)];
  }
}
