import type { Provenance } from "../provenance.ts";
import type { PlannedSysctl } from "./plan.ts";

/**
 * What every namespace of a cluster with IPv6 needs before its links come up, which inherit it: addresses are ours by
 * plan, so nobody is asked for a second whether they are taken (duplicate address detection), and no router's word counts.
 */
export function ipv6Settings(cause: Provenance): readonly PlannedSysctl[] {
  return [
    { key: "net/ipv6/conf/all/disable_ipv6", value: "0", cause },
    { key: "net/ipv6/conf/default/disable_ipv6", value: "0", cause },
    { key: "net/ipv6/conf/default/accept_ra", value: "0", cause },
    { key: "net/ipv6/conf/all/accept_dad", value: "0", cause },
    { key: "net/ipv6/conf/default/accept_dad", value: "0", cause },
  ];
}
