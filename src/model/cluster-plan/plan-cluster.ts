/** Turns what the user asked for into the complete configuration of a cluster, or into the list of all mistakes. */
import { nthAddress } from "../../lib/ip/index.ts";
import { type ClusterConfig, logLevels, networkKinds, type NodeConfig, perFamily } from "../cluster-config.ts";
import { mostNodes, nodeAt } from "./plan-nodes.ts";
import { planRanges, type RangeOptions } from "./plan-ranges.ts";

/** As given on the command line; `undefined` is the default of `clusterDefaults`. */
export interface ClusterOptions extends RangeOptions {
  readonly name?: string | undefined;
  readonly nodes?: number | undefined;
  readonly clusterDomain?: string | undefined;
  readonly nodePortRange?: string | undefined;
  readonly images?: string | undefined;
  readonly maxPods?: number | undefined;
  /** How pods of different nodes reach each other. */
  readonly network?: string | undefined;
  readonly auditLog?: boolean | undefined;
  readonly logLevel?: string | undefined;
  /** On the host's 127.0.0.1; the first free one where absent. */
  readonly apiPort?: number | undefined;
  /** How many processes share the nodes. */
  readonly agents?: number | undefined;
  readonly kubeconfig?: string | undefined;
}

export const clusterDefaults = {
  name: "netloom",
  nodes: 3,
  clusterDomain: "cluster.local",
  nodePortRange: "30000-32767",
  images: "catalog",
  maxPods: 110,
  network: "host-gw",
  ipFamily: "ipv4",
  auditLog: false,
  logLevel: "info",
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

/** Addresses of a node's /24 that pods can have; .0, .1 and .255 stay free. IPv6 would have more. */
export const mostPods = 253;

/** The name becomes a kubeconfig context, a folder and part of socket paths, which hold 107 bytes. */
export function isClusterName(name: string): boolean {
  return /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name) && name.length <= 30;
}

export function clusterNameMistake(name: string): string {
  return `--name "${name}": use at most 30 lower-case letters, digits and dashes, a letter or digit at both ends`;
}

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
  if (!isClusterName(name)) mistakes.push(clusterNameMistake(name));
  const count = options.nodes ?? clusterDefaults.nodes;
  const isCount = Number.isInteger(count) && count >= 1 && count <= mostNodes;
  if (!isCount) mistakes.push(`--nodes "${count}": use a whole number from 1 to ${mostNodes}`);
  // Of so many nodes that there cannot be, it is no news that a range has no room for them.
  const ranges = planRanges(options, isCount ? count : 1, mistakes);
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
    mistakes.push(`--max-pods "${maxPods}": use a whole number from 1 to ${mostPods}, what a node's /24 holds`);
  }
  for (const [flag, value, most] of [
    ["--api-port", options.apiPort, 65_535],
    ["--agents", options.agents, mostNodes],
  ] as const) {
    if (value !== undefined && (!Number.isInteger(value) || value < 1 || value > most)) {
      mistakes.push(`${flag} "${value}": use a whole number from 1 to ${most}`);
    }
  }
  if (options.kubeconfig === "") mistakes.push('--kubeconfig "": name a file, or leave the option out');
  const networkName = options.network ?? clusterDefaults.network;
  const network = networkKinds.find((kind) => kind === networkName);
  if (network === undefined) {
    mistakes.push(
      `--network "${networkName}": use "host-gw", plain routes from node to node, or "vxlan", packets wrapped in UDP`,
    );
  }
  const levelName = options.logLevel ?? clusterDefaults.logLevel;
  const logLevel = logLevels.find((level) => level === levelName);
  if (logLevel === undefined) mistakes.push(`--log-level "${levelName}": use ${logLevels.join(", ")}`);
  if (
    logLevel === undefined ||
    mistakes.length > 0 ||
    ranges === undefined ||
    network === undefined ||
    nodePortRange === undefined
  ) {
    throw new ClusterOptionsError(mistakes);
  }
  const addresses = { nodeCidrs: ranges.nodeCidr, podCidrs: ranges.podCidr, loopbackIndex: host.loopbackIndex };
  return {
    ...host,
    name,
    nodes: planNodes(count, addresses),
    nodeCidrs: ranges.nodeCidr,
    controlPlaneAddresses: perFamily(ranges.nodeCidr, (cidr) => nthAddress(cidr, 1)),
    podCidrs: ranges.podCidr,
    network,
    serviceCidrs: ranges.serviceCidr,
    outsideCidrs: ranges.outsideCidr,
    outsideRouterAddresses: perFamily(ranges.outsideCidr, (cidr) => nthAddress(cidr, 1)),
    outsideAddresses: perFamily(ranges.outsideCidr, (cidr) => nthAddress(cidr, 2)),
    clusterDomain,
    dnsServiceAddress: nthAddress(ranges.serviceCidr[0], 10),
    kubernetesServiceAddress: nthAddress(ranges.serviceCidr[0], 1),
    nodePortRange,
    images,
    maxPods,
    auditLog: options.auditLog ?? clusterDefaults.auditLog,
    logLevel,
  };
}

function planNodes(count: number, network: Parameters<typeof nodeAt>[1]): readonly NodeConfig[] {
  return Array.from({ length: count }, (_, index) => nodeAt(index, network)).filter((node) => node !== undefined);
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
