/** The cluster's DNS server: `coredns` of the catalog. */
export { createClusterDns } from "./cluster-dns.ts";
export type { ClusterDns, ClusterDnsOptions } from "./cluster-dns.ts";
