/** The `/etc/resolv.conf` of a pod, by its dnsPolicy and dnsConfig. */
import type { Pod } from "../../api/generated/types.ts";

interface ResolverConfig {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

/** @param node - The text of the node's own resolv.conf, for the policy Default. */
export function resolvConf(options: {
  readonly pod: Pod;
  readonly clusterDomain: string;
  readonly clusterDns: string;
  readonly node: string;
}): string {
  const config = withPodConfig(ofPolicy(options), options.pod);
  const lines = [
    ...(config.searches.length === 0 ? [] : [`search ${config.searches.join(" ")}`]),
    ...config.nameservers.map((nameserver) => `nameserver ${nameserver}`),
    ...(config.options.length === 0 ? [] : [`options ${config.options.join(" ")}`]),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

function ofPolicy(options: {
  readonly pod: Pod;
  readonly clusterDomain: string;
  readonly clusterDns: string;
  readonly node: string;
}): ResolverConfig {
  const { pod, clusterDomain, clusterDns } = options;
  const { dnsPolicy = "ClusterFirst", hostNetwork = false } = pod.spec ?? {};
  if (dnsPolicy === "None") return { nameservers: [], searches: [], options: [] };
  const node = parseResolvConf(options.node);
  // On the host's network "ClusterFirst" means the host's resolver; "ClusterFirstWithHostNet" asks for the cluster's.
  if (dnsPolicy === "Default" || (dnsPolicy === "ClusterFirst" && hostNetwork)) return node;
  const { namespace = "default" } = pod.metadata ?? {};
  const ofCluster = [`${namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain];
  return { nameservers: [clusterDns], searches: unique([...ofCluster, ...node.searches]), options: ["ndots:5"] };
}

function withPodConfig(base: ResolverConfig, { spec }: Pod): ResolverConfig {
  const { nameservers = [], searches = [], options = [] } = spec?.dnsConfig ?? {};
  const named = new Map(base.options.map((option) => [option.split(":")[0] ?? option, option]));
  for (const { name = "", value } of options) {
    named.set(name, value === undefined || value === "" ? name : `${name}:${value}`);
  }
  return {
    nameservers: unique([...base.nameservers, ...nameservers]),
    searches: unique([...base.searches, ...searches]),
    options: [...named.values()],
  };
}

/** The last `search` and `options` lines count, as for the resolver itself. */
function parseResolvConf(text: string): ResolverConfig {
  const nameservers: string[] = [];
  let searches: readonly string[] = [];
  let options: readonly string[] = [];
  for (const line of text.split("\n")) {
    const [word, ...rest] = line
      .replace(/[#;].*$/, "")
      .trim()
      .split(/\s+/);
    if (word === "nameserver" && rest[0] !== undefined) nameservers.push(rest[0]);
    else if (word === "search") searches = rest;
    else if (word === "options") options = rest;
  }
  return { nameservers, searches, options };
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}
