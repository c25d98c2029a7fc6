/** The `/etc/hosts` the kubelet writes for each pod. */
import type { Pod } from "../../api/generated/types.ts";

const standardEntries = [
  "127.0.0.1\tlocalhost",
  "::1\tlocalhost ip6-localhost ip6-loopback",
  "fe00::0\tip6-localnet",
  "fe00::0\tip6-mcastprefix",
  "fe00::1\tip6-allnodes",
  "fe00::2\tip6-allrouters",
];

/** The host name of the pod and, with a subdomain, its full name under the cluster's domain ("" without). */
export function podHostname(pod: Pod, clusterDomain: string): { readonly hostname: string; readonly fqdn: string } {
  const { metadata, spec } = pod;
  if (spec?.hostnameOverride !== undefined && spec.hostnameOverride !== "") {
    return { hostname: spec.hostnameOverride, fqdn: "" };
  }
  const wanted = spec?.hostname !== undefined && spec.hostname !== "" ? spec.hostname : (metadata?.name ?? "");
  // The kernel's limit is 64 bytes, DNS' is 63; the cut must not end in a separator.
  const hostname = wanted.slice(0, 63).replace(/[-.]+$/, "");
  const hasSubdomain = spec?.subdomain !== undefined && spec.subdomain !== "";
  const fqdn = hasSubdomain ? `${hostname}.${spec.subdomain}.${metadata?.namespace}.svc.${clusterDomain}` : "";
  return { hostname, fqdn };
}

/** @param nodeHosts - The node's own file, which pods on the host's network share; undefined for any other pod. */
export function hostsFile(options: {
  readonly pod: Pod;
  readonly ips: readonly string[];
  readonly clusterDomain: string;
  readonly nodeHosts: string | undefined;
}): string {
  const { pod, ips, clusterDomain, nodeHosts } = options;
  const { hostname, fqdn } = podHostname(pod, clusterDomain);
  const names = fqdn === "" ? hostname : `${fqdn}\t${hostname}`;
  const own =
    nodeHosts === undefined
      ? `${["# Kubernetes-managed hosts file.", ...standardEntries, ...ips.map((ip) => `${ip}\t${names}`)].join("\n")}\n`
      : `# Kubernetes-managed hosts file (host network).\n${nodeHosts}`;
  const aliases = pod.spec?.hostAliases ?? [];
  if (aliases.length === 0) return own;
  const lines = aliases.map(({ ip, hostnames = [] }) => [ip, ...hostnames].join("\t"));
  return `${own}\n# Entries added by HostAliases.\n${lines.join("\n")}\n`;
}
