/**
 * How addresses and ranges are spelt: fields that are younger than upstream's rule take one spelling only, in older ones
 * another is worth a warning.
 */
import {
  cidrNetwork,
  familyBits,
  ipFamily,
  ipFromNumber,
  type IpAddress,
  IpParseError,
  ipToNumber,
  parseCidr,
  parseIpAddress,
} from "../../lib/ip/index.ts";
import { addressSentence, cidrSentence } from "./checks.ts";

/** What is wrong with an address, in upstream's words; undefined where it is right. */
export function strictAddressMistake(text: string): string | undefined {
  const address = lenientAddress(text);
  if (address === undefined) return addressSentence;
  if (hasLeadingZeros(text)) return "must not have leading 0s";
  if (isMapped(address)) return "must not be an IPv4-mapped IPv6 address";
  return address === text ? undefined : `must be in canonical form (${JSON.stringify(address)})`;
}

/** The same of a range. */
export function strictCidrMistake(text: string): string | undefined {
  const [, before = "", digits = ""] = /^([^/]+)\/(\d+)$/.exec(text) ?? [];
  const address = lenientAddress(before);
  if (address === undefined || Number(digits) > familyBits[ipFamily(address)]) return cidrSentence;
  if (hasLeadingZeros(before)) return "must not have leading 0s in IP";
  if (isMapped(address)) return "must not have an IPv4-mapped IPv6 address";
  if (/^0\d/.test(digits)) return "must not have leading 0s in prefix length";
  const cidr = parseCidr(`${address}/${digits}`, { masksHostBits: true });
  if (cidrNetwork(cidr) !== address) return "must not have bits set beyond the prefix length";
  return cidr === text ? undefined : `must be in canonical form (${JSON.stringify(cidr)})`;
}

/** Warnings, in upstream's words, about an address that is valid in an older field. */
export function addressWarnings(text: string, field: string): readonly string[] {
  const address = lenientAddress(text);
  if (address === undefined) return [];
  const usual = unmapped(address);
  if (hasLeadingZeros(text) || usual !== address) {
    return [`${field}: non-standard IP address ${quoted(text)} ${willBeInvalid} ${quoted(usual)}`];
  }
  return address === text ? [] : [`${field}: IPv6 address ${quoted(text)} should be in ${canonicalForm(address)}`];
}

/** The same about a range. */
export function cidrWarnings(text: string, field: string): readonly string[] {
  const [, before = "", digits = ""] = /^([^/]+)\/(\d+)$/.exec(text) ?? [];
  const address = lenientAddress(before);
  if (address === undefined || Number(digits) > familyBits[ipFamily(address)]) return [];
  const usual = unmapped(address);
  const bits = Number(digits) - (usual === address ? 0 : mappedBits);
  if (bits < 0) return [];
  const range = parseCidr(`${usual}/${bits}`, { masksHostBits: true });
  const warnings: string[] = [];
  if (cidrNetwork(range) !== usual) {
    const single = `${usual}/${familyBits[ipFamily(usual)]}`;
    warnings.push(
      `${field}: CIDR value ${quoted(text)} is ambiguous in this context (should be ${quoted(range)} or ${quoted(single)}?)`,
    );
  }
  if (hasLeadingZeros(before) || /^0\d/.test(digits) || usual !== address) {
    warnings.push(`${field}: non-standard CIDR value ${quoted(text)} ${willBeInvalid} ${quoted(range)}`);
  }
  if (warnings.length > 0 || range === text) return warnings;
  return [`${field}: IPv6 CIDR value ${quoted(text)} should be in ${canonicalForm(range)}`];
}

const willBeInvalid = "will be considered invalid in a future Kubernetes release: use";
const quoted = (text: string): string => JSON.stringify(text);
const canonicalForm = (text: string): string => `RFC 5952 canonical format (${quoted(text)})`;

/** How many bits of an IPv4-mapped address are before the address of IPv4. */
const mappedBits = 96;

/** "::ffff:10.0.0.1" is 10.0.0.1; others stay. */
function unmapped(address: IpAddress): IpAddress {
  return isMapped(address) ? ipFromNumber(ipToNumber(address) & 0xffff_ffffn, "IPv4") : address;
}

function hasLeadingZeros(address: string): boolean {
  return !address.includes(":") && /(^|\.)0\d/.test(address);
}

function isMapped(address: IpAddress): boolean {
  return ipFamily(address) === "IPv6" && ipToNumber(address) >> 32n === 0xffffn;
}

/** Reads "010.0.0.1" as older fields do, to say what is wrong with it. */
function lenientAddress(text: string): IpAddress | undefined {
  try {
    return parseIpAddress(text.includes(":") ? text : text.replace(/(^|\.)0+(?=\d)/g, "$1"));
  } catch (error) {
    if (error instanceof IpParseError) return undefined;
    throw error;
  }
}
