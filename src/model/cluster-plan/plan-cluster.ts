/** Turns what the user asked for into the complete configuration of a cluster, or into the list of all mistakes. */
import {
  type Cidr,
  cidrPrefix,
  cidrSize,
  cidrsOverlap,
  IpParseError,
  ipFamily,
  nthAddress,
  parseCidr,
} from "../../lib/ip/index.ts";
import { type ClusterConfig, networkKinds, type NodeConfig } from "../cluster-config.ts";

/** As given on the command line; `undefined` is the default of `clusterDefaults`. */
export interface ClusterOptions {
  readonly name?: string | undefined;
  readonly nodes?: number | undefined;
  readonly nodeCidr?: string | undefined;
  readonly outsideCidr?: string | undefined;
  readonly podCidr?: string | undefined;
  readonly serviceCidr?: string | undefined;
  readonly clusterDomain?: string | undefined;
  readonly nodePortRange?: string | undefined;
  readonly images?: string | undefined;
  readonly maxPods?: number | undefined;
  /** How pods of different nodes reach each other. */
  readonly network?: string | undefined;
  readonly ipFamily?: string | undefined;
  readonly auditLog?: boolean | undefined;
}

export const clusterDefaults = {
  name: "netloom",
  nodes: 3,
  nodeCidr: "192.168.60.0/24",
  outsideCidr: "192.168.61.0/24",
  podCidr: "10.244.0.0/16",
  serviceCidr: "10.96.0.0/12",
  clusterDomain: "cluster.local",
  nodePortRange: "30000-32767",
  images: "catalog",
  maxPods: 110,
  network: "host-gw",
  ipFamily: "ipv4",
  auditLog: false,
} as const;

/** Everything that is wrong with the options, a line each, with flag, value and remedy. */
export class ClusterOptionsError extends Error {
  readonly code = "InvalidClusterOptions";
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(mistakes.join("\n"));
    this.mistakes = mistakes;
  }
}

/** The prefix of a node's part of the pod network. */
const podPrefix = 24;
/** Nodes get the node network's addresses from this number on; below are the router and room for others. */
const firstNodeIndex = 11;
export const mostNodes = 200;
/** Addresses of a node's /24 that pods can have; .0, .1 and .255 stay free. */
const mostPods = 253;

/**
 * `host`: what only the host can decide (folders, the API's port, the loopback network's number).
 * Throws `ClusterOptionsError` with all mistakes together.
 */
export function planCluster(
  options: ClusterOptions,
  host: Pick<ClusterConfig, "stateDir" | "runDir" | "toolsDir" | "apiPort" | "loopbackIndex">,
): ClusterConfig {
  const mistakes: string[] = [];
  const name = options.name ?? clusterDefaults.name;
  // The name becomes a kubeconfig context, a folder and part of socket paths, which hold 107 bytes.
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name) || name.length > 30) {
    mistakes.push(
      `--name "${name}": use at most 30 lower-case letters, digits and dashes, a letter or digit at both ends`,
    );
  }
  const count = options.nodes ?? clusterDefaults.nodes;
  if (!Number.isInteger(count) || count < 1 || count > mostNodes) {
    mistakes.push(`--nodes "${count}": use a whole number from 1 to ${mostNodes}`);
  }
  const ranges = {
    "--node-cidr": parseRange("--node-cidr", options.nodeCidr ?? clusterDefaults.nodeCidr, 24, mistakes),
    "--outside-cidr": parseRange("--outside-cidr", options.outsideCidr ?? clusterDefaults.outsideCidr, 30, mistakes),
    "--pod-cidr": parseRange("--pod-cidr", options.podCidr ?? clusterDefaults.podCidr, podPrefix, mistakes),
    "--service-cidr": parseRange("--service-cidr", options.serviceCidr ?? clusterDefaults.serviceCidr, 28, mistakes),
  };
  reportOverlaps(ranges, mistakes);
  const podCidr = ranges["--pod-cidr"];
  if (podCidr !== undefined && 2 ** (podPrefix - cidrPrefix(podCidr)) < count + 1) {
    mistakes.push(
      `--pod-cidr "${podCidr}": it has no /${podPrefix} for each of ${count} nodes (the first one stays free); use a shorter prefix or fewer --nodes`,
    );
  }
  const clusterDomain = options.clusterDomain ?? clusterDefaults.clusterDomain;
  if (!/^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/.test(clusterDomain)) {
    mistakes.push(`--cluster-domain "${clusterDomain}": use a DNS name in lower case, such as "cluster.local"`);
  }
  const nodePortRange = parsePorts(options.nodePortRange ?? clusterDefaults.nodePortRange, mistakes);
  const images = (options.images ?? clusterDefaults.images).split(",").map((source) => source.trim());
  for (const source of images) {
    if (source !== "catalog") {
      mistakes.push(
        `--images "${source}": this release knows the source "catalog"; load other images with "netloom image load FILE"`,
      );
    }
  }
  const maxPods = options.maxPods ?? clusterDefaults.maxPods;
  if (!Number.isInteger(maxPods) || maxPods < 1 || maxPods > mostPods) {
    mistakes.push(
      `--max-pods "${maxPods}": use a whole number from 1 to ${mostPods}, what a node's /${podPrefix} holds`,
    );
  }
  const networkName = options.network ?? clusterDefaults.network;
  const network = networkKinds.find((kind) => kind === networkName);
  if (network === undefined) {
    mistakes.push(
      `--network "${networkName}": use "host-gw", plain routes from node to node, or "vxlan", packets wrapped in UDP`,
    );
  }
  const family = options.ipFamily ?? clusterDefaults.ipFamily;
  if (family !== "ipv4") {
    mistakes.push(`--ip-family "${family}": this release runs "ipv4" clusters; leave the option out`);
  }
  const nodeCidr = ranges["--node-cidr"];
  const outsideCidr = ranges["--outside-cidr"];
  const serviceCidr = ranges["--service-cidr"];
  if (
    mistakes.length > 0 ||
    nodeCidr === undefined ||
    outsideCidr === undefined ||
    podCidr === undefined ||
    network === undefined ||
    serviceCidr === undefined ||
    nodePortRange === undefined
  ) {
    throw new ClusterOptionsError(mistakes);
  }
  return {
    ...host,
    name,
    nodes: planNodes(count, { nodeCidr, podCidr, loopbackIndex: host.loopbackIndex }),
    nodeCidr,
    controlPlaneAddress: nthAddress(nodeCidr, 1),
    podCidr,
    network,
    serviceCidr,
    outsideCidr,
    outsideRouterAddress: nthAddress(outsideCidr, 1),
    outsideAddress: nthAddress(outsideCidr, 2),
    clusterDomain,
    dnsServiceAddress: nthAddress(serviceCidr, 10),
    kubernetesServiceAddress: nthAddress(serviceCidr, 1),
    nodePortRange,
    images,
    maxPods,
    auditLog: options.auditLog ?? clusterDefaults.auditLog,
  };
}

function planNodes(
  count: number,
  network: { readonly nodeCidr: Cidr; readonly podCidr: Cidr; readonly loopbackIndex: number },
): readonly NodeConfig[] {
  return Array.from({ length: count }, (_, index) => nodeConfig(index, network));
}

/** The node that a cluster has at a place, from 0 on; undefined where the pod network has no part left for it. */
export function nodeAt(
  index: number,
  network: Pick<ClusterConfig, "nodeCidr" | "podCidr" | "loopbackIndex">,
): NodeConfig | undefined {
  const [nodeCidr, podCidr] = [parseCidr(network.nodeCidr), parseCidr(network.podCidr)];
  if (index >= mostNodes || index + 1 >= 2 ** (podPrefix - cidrPrefix(podCidr))) return undefined;
  return nodeConfig(index, { nodeCidr, podCidr, loopbackIndex: network.loopbackIndex });
}

function nodeConfig(
  index: number,
  network: { readonly nodeCidr: Cidr; readonly podCidr: Cidr; readonly loopbackIndex: number },
): NodeConfig {
  return {
    name: `node-${index + 1}`,
    address: nthAddress(network.nodeCidr, firstNodeIndex + index),
    podCidr: `${nthAddress(network.podCidr, (index + 1) * 2 ** (32 - podPrefix))}/${podPrefix}`,
    loopbackAddress: `127.${network.loopbackIndex}.0.${index + 1}`,
  };
}

function parseRange(flag: string, text: string, longestPrefix: number, mistakes: string[]): Cidr | undefined {
  try {
    const cidr = parseCidr(text);
    if (ipFamily(cidr) !== "IPv4") {
      mistakes.push(`${flag} "${text}": this release runs IPv4 clusters; use an IPv4 range`);
      return undefined;
    }
    if (cidrPrefix(cidr) > longestPrefix || cidrSize(cidr) > 2n ** 24n) {
      mistakes.push(`${flag} "${text}": use a prefix from /8 to /${longestPrefix}`);
      return undefined;
    }
    return cidr;
  } catch (error) {
    if (!(error instanceof IpParseError)) throw error;
    mistakes.push(`${flag}: ${error.message}`);
    return undefined;
  }
}

function reportOverlaps(ranges: Readonly<Record<string, Cidr | undefined>>, mistakes: string[]): void {
  const known = Object.entries(ranges).flatMap(([flag, cidr]) => (cidr === undefined ? [] : [{ flag, cidr }]));
  const loopback = parseCidr("127.0.0.0/8");
  for (const [index, { flag, cidr }] of known.entries()) {
    if (cidrsOverlap(cidr, loopback)) mistakes.push(`${flag} "${cidr}": it overlaps the loopback network 127.0.0.0/8`);
    for (const other of known.slice(index + 1)) {
      if (cidrsOverlap(cidr, other.cidr)) {
        mistakes.push(
          `${flag} "${cidr}" overlaps ${other.flag} "${other.cidr}": nodes, pods, Services and the outside need ranges of their own`,
        );
      }
    }
  }
}

function parsePorts(text: string, mistakes: string[]): { first: number; last: number } | undefined {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || first < 1024 || last > 65_535 || first > last) {
    mistakes.push(`--node-port-range "${text}": use FIRST-LAST within 1024-65535, such as "30000-32767"`);
    return undefined;
  }
  return { first, last };
}
