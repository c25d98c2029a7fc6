/** Addresses and ranges of fields that take upstream's one spelling only: the fields that are younger than the rule. */
import {
  cidrNetwork,
  familyBits,
  ipFamily,
  type IpAddress,
  IpParseError,
  ipToNumber,
  parseCidr,
  parseIpAddress,
} from "../../lib/ip/index.ts";
import { addressSentence, cidrSentence } from "../registry/checks.ts";

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
