/** `1.0.96.10.in-addr.arpa.` and the nibbles of ip6.arpa (RFC 1035 section 3.5, RFC 3596 section 2.5). */
import { parseIpAddress } from "../../lib/ip/index.ts";

const v4 = ".in-addr.arpa.";
const v6 = ".ip6.arpa.";

/** The whole address a canonical reverse name stands for; undefined for a part of one or anything else. */
export function addressOfReverseName(name: string): string | undefined {
  if (name.endsWith(v4)) return parseIpv4(name.slice(0, -v4.length).split("."));
  if (name.endsWith(v6)) return parseIpv6(name.slice(0, -v6.length).split("."));
  return undefined;
}

function parseIpv4(labels: readonly string[]): string | undefined {
  return labels.length === 4 && labels.every(isByte) ? labels.toReversed().join(".") : undefined;
}

function isByte(label: string): boolean {
  return /^(0|[1-9]\d{0,2})$/.test(label) && Number(label) < 256;
}

function parseIpv6(labels: readonly string[]): string | undefined {
  if (labels.length !== 32 || !labels.every((label) => /^[\da-f]$/.test(label))) return undefined;
  const digits = labels.toReversed().join("");
  return parseIpAddress(digits.replaceAll(/.{4}(?!$)/g, "$&:"));
}

export function isReverseName(name: string): boolean {
  return name.endsWith(v4) || name.endsWith(v6) || name === v4.slice(1) || name === v6.slice(1);
}
