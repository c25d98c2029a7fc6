/**
 * IP addresses as checked text. An `IpAddress` is always in canonical form (RFC 5952 for IPv6), so `===`, Map keys and
 * JSON work; arithmetic goes through bigint, the wire through bytes.
 */

/** Kubernetes' words for the two families. */
export type IpFamily = "IPv4" | "IPv6";

declare const brand: unique symbol;
/** Canonical text of one network, no bits set beyond the prefix: "10.244.0.0/16", "fd00::/64". */
export type Cidr = string & { readonly [brand]: "Cidr" };
/** Canonical text of one address: "10.0.0.1", "fd00::1". Only the functions of this folder make one. */
export type IpAddress = string & { readonly [brand]: "IpAddress" };

/** Text that is no address or CIDR; the message quotes it and says why. */
export class IpParseError extends Error {
  readonly code = "InvalidIp";
  override readonly name = "IpParseError";
}

/** Length of an address in bits. */
export const familyBits: Readonly<Record<IpFamily, 32 | 128>> = { IPv4: 32, IPv6: 128 };

/** Throws `IpParseError`. Octal-looking parts ("010.0.0.1") and zones ("fe80::1%eth0") are refused. */
export function parseIpAddress(text: string): IpAddress {
  const fail = (reason: string): never => {
    throw new IpParseError(`Cannot parse IP address ${JSON.stringify(text)}: ${reason}`);
  };
  if (text.includes(":")) return formatV6(groupsToNumber(readV6(text, fail)));
  return formatV4(readV4(text, fail));
}

/** Whether `text` is an address, canonical or not. */
export function isIpAddress(text: string): boolean {
  try {
    parseIpAddress(text);
    return true;
  } catch {
    return false;
  }
}

/** Of an address or a CIDR. */
export function ipFamily(text: IpAddress | Cidr): IpFamily {
  return text.includes(":") ? "IPv6" : "IPv4";
}

export function ipToNumber(address: IpAddress): bigint {
  const unreachable = (reason: string): never => {
    throw new IpParseError(`Cannot read IP address "${address}": ${reason}`);
  };
  return ipFamily(address) === "IPv4"
    ? BigInt(readV4(address, unreachable))
    : groupsToNumber(readV6(address, unreachable));
}

/** Throws RangeError where `value` lies outside of the family. */
export function ipFromNumber(value: bigint, family: IpFamily): IpAddress {
  if (value < 0n || value >> BigInt(familyBits[family]) !== 0n) {
    throw new RangeError(`Cannot make an ${family} address of ${value}: it lies outside of the family`);
  }
  return family === "IPv4" ? formatV4(Number(value)) : formatV6(value);
}

/** 4 or 16 bytes in network order. */
export function ipToBytes(address: IpAddress): Uint8Array {
  if (ipFamily(address) === "IPv4") return v4Bytes(address);
  const bytes = new Uint8Array(familyBits.IPv6 / 8);
  let value = ipToNumber(address);
  for (let index = bytes.length - 1; index >= 0; index -= 1, value >>= 8n) bytes[index] = Number(value & 255n);
  return bytes;
}

/** Of checked text: tables of rules hold a hundred thousand addresses. */
function v4Bytes(address: IpAddress): Uint8Array {
  const bytes = new Uint8Array(4);
  let index = 0;
  let part = 0;
  for (let at = 0; at < address.length; at += 1) {
    const code = address.charCodeAt(at);
    if (code === dotCode) {
      bytes[index] = part;
      index += 1;
      part = 0;
    } else part = part * 10 + code - zeroCode;
  }
  bytes[index] = part;
  return bytes;
}

const dotCode = 46;
const zeroCode = 48;

/** Throws RangeError for any other length than 4 or 16. */
export function ipFromBytes(bytes: Uint8Array): IpAddress {
  if (bytes.length !== 4 && bytes.length !== 16) {
    throw new RangeError(`Cannot make an IP address of ${bytes.length} bytes: it takes 4 or 16`);
  }
  if (bytes.length === 4) return bytes.join(".") as IpAddress;
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return ipFromNumber(value, "IPv6");
}

type Fail = (reason: string) => never;

/** Digit by digit: a server's start reads tens of thousands. */
function readV4(text: string, fail: Fail): number {
  let value = 0;
  let parts = 0;
  let part = 0;
  let digits = 0;
  for (let at = 0; at <= text.length; at += 1) {
    const code = at === text.length ? dotCode : text.charCodeAt(at);
    if (code === dotCode) {
      if (digits === 0 || part > 255) return refuseV4(text, fail);
      value = value * 256 + part;
      parts += 1;
      part = 0;
      digits = 0;
    } else {
      const digit = code - zeroCode;
      const hasLeadingZero = digits > 0 && part === 0;
      if (digit < 0 || digit > 9 || digits === 3 || hasLeadingZero) return refuseV4(text, fail);
      part = part * 10 + digit;
      digits += 1;
    }
  }
  return parts === 4 ? value : refuseV4(text, fail);
}

/** Says what is wrong with it. */
function refuseV4(text: string, fail: Fail): never {
  const parts = text.split(".");
  if (parts.length !== 4) return fail("write four numbers with dots, such as 10.0.0.1, or an IPv6 address");
  for (const part of parts) {
    if (!/^\d{1,3}$/.test(part)) return fail(`${JSON.stringify(part)} is not a number from 0 to 255`);
    if (part.length > 1 && part.startsWith("0")) return fail(`"${part}" has a leading zero`);
    if (Number(part) > 255) return fail(`${part} exceeds 255`);
  }
  return fail("it is no address");
}

/** Eight groups of 16 bits. */
function readV6(text: string, fail: Fail): readonly number[] {
  if (text.includes("%")) return fail("a zone is not allowed");
  const halves = text.split("::");
  if (halves.length > 2) return fail('"::" may occur once');
  const [head, tail] = halves.map((half, index) => readGroups(half, index === halves.length - 1, fail));
  if (head === undefined) return fail("it is empty");
  if (tail === undefined) {
    return head.length === 8 ? head : fail(`it has ${head.length} groups instead of 8`);
  }
  const missing = 8 - head.length - tail.length;
  if (missing < 1) return fail('it has too many groups beside "::"');
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail];
}

function readGroups(text: string, isLast: boolean, fail: Fail): readonly number[] {
  if (text === "") return [];
  const parts = text.split(":");
  return parts.flatMap((part, index) => {
    // RFC 4291 section 2.2: the last 32 bits may be written as an IPv4 address.
    if (isLast && index === parts.length - 1 && part.includes(".")) {
      const value = readV4(part, fail);
      return [Math.floor(value / 65_536), value % 65_536];
    }
    if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return fail(`${JSON.stringify(part)} is not a group of 1 to 4 hex digits`);
    return [Number.parseInt(part, 16)];
  });
}

function groupsToNumber(groups: readonly number[]): bigint {
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

function formatV4(value: number): IpAddress {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".") as IpAddress;
}

function formatV6(value: bigint): IpAddress {
  // RFC 5952 section 5: an IPv4-mapped address shows its last 32 bits dotted.
  if (value >> 32n === 0xffffn) return `::ffff:${formatV4(Number(value & 0xffff_ffffn))}` as IpAddress;
  const groups = Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(112 - 16 * index)) & 0xffffn));
  const zeros = longestZeroRun(groups);
  const hex = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(":");
  if (zeros.length < 2) return hex(0, 8) as IpAddress;
  return `${hex(0, zeros.start)}::${hex(zeros.start + zeros.length, 8)}` as IpAddress;
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
