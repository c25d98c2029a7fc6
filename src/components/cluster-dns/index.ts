/** The cluster's DNS server: `coredns` of the catalog, and what kube-system has for it. */
export { runClusterDns } from "./main.ts";
export { clusterDnsManifests } from "./manifests.ts";
