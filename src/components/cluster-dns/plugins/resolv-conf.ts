/** The name servers of a resolv.conf (resolv.conf(5)). */
import { isIpAddress } from "../../../lib/ip/index.ts";

/** At most three, as libc takes them; addresses with a zone ("fe80::1%eth0") are left out. */
export function nameserversOf(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? "")
    .filter(isIpAddress)
    .slice(0, 3);
}
