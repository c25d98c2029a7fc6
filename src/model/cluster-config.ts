/** Everything that is decided when a cluster is made, parsed once and never changed: no inner part sees an optional setting. */
import { ipFamily, type IpFamily, parseCidr } from "../lib/ip/index.ts";

/** A value per address family of the cluster, at most one of each; the primary family's comes first. */
export type PerFamily<T = string> = readonly [T, ...T[]];

/** The same of each family, in their order. */
export function perFamily<T, U>([first, ...rest]: PerFamily<T>, make: (value: T, index: number) => U): PerFamily<U> {
  return [make(first, 0), ...rest.map((value, index) => make(value, index + 1))];
}

export interface NodeConfig {
  /** "node-1". */
  readonly name: string;
  /** The node's addresses in the node network: "192.168.60.11", "fd00:192:168:60::11". */
  readonly addresses: PerFamily;
  /** The pods of the node: "10.244.1.0/24", "fd00:10:244:1::/64". */
  readonly podCidrs: PerFamily;
  /** Where the host reaches the node's ports: "127.60.0.1". */
  readonly loopbackAddress: string;
}

/**
 * How pods of different nodes reach each other: by plain routes over the node network ("host-gw", as flannel calls it),
 * or wrapped in UDP between the nodes ("vxlan").
 */
export const networkKinds = ["host-gw", "vxlan"] as const;
export type NetworkKind = (typeof networkKinds)[number];

/** From chatty to terse. */
export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

export interface ClusterConfig {
  readonly name: string;
  /** Absolute. Survives a stop: the store, keys, logs and the nodes' disks. */
  readonly stateDir: string;
  /** Absolute. Sockets the host's commands use; `private/` in it is a tmpfs that only the cluster's mount namespace sees. */
  readonly runDir: string;
  /** Absolute. Programs of the machine or fetched by the set-up: see container/tools. */
  readonly toolsDir: string;
  readonly nodes: readonly NodeConfig[];
  readonly nodeCidrs: PerFamily;
  /** The lan's router and the control plane in the node network: "192.168.60.1", "fd00:192:168:60::1". */
  readonly controlPlaneAddresses: PerFamily;
  readonly podCidrs: PerFamily;
  readonly network: NetworkKind;
  readonly serviceCidrs: PerFamily;
  /** The network behind the lan's router where the `outside` client lives; not part of the cluster. */
  readonly outsideCidrs: PerFamily;
  readonly outsideRouterAddresses: PerFamily;
  readonly outsideAddresses: PerFamily;
  readonly clusterDomain: string;
  /** Tenth address of the primary Service range: "10.96.0.10". */
  readonly dnsServiceAddress: string;
  /** First address of the primary Service range: "10.96.0.1". */
  readonly kubernetesServiceAddress: string;
  readonly nodePortRange: { readonly first: number; readonly last: number };
  /** N of 127.N.0.0/16. */
  readonly loopbackIndex: number;
  /** The API's port on the host's 127.0.0.1; inside the cluster it is 6443 of `controlPlaneAddresses`. */
  readonly apiPort: number;
  /** Image sources in the order they are asked: "catalog". */
  readonly images: readonly string[];
  /** How many pods a node takes. */
  readonly maxPods: number;
  /** Whether the API server writes down every request: `audit.log` beside the other logs. */
  readonly auditLog: boolean;
  /** The least grave lines that the holder, the server and the agents write. */
  readonly logLevel: LogLevel;
}

/** The primary one first. */
export function familiesOf({ serviceCidrs }: Pick<ClusterConfig, "serviceCidrs">): PerFamily<IpFamily> {
  return perFamily(serviceCidrs, (cidr) => ipFamily(parseCidr(cidr)));
}

/** Where the host finds the metrics of all processes of a cluster. */
export const metricsListener = ({ loopbackIndex }: Pick<ClusterConfig, "loopbackIndex">) => ({
  host: `127.${loopbackIndex}.255.253`,
  port: 9090,
});

/** Where the pieces of a running cluster lie. All paths absolute, in the cluster's mount namespace. */
export function clusterPaths(config: Pick<ClusterConfig, "stateDir" | "runDir">) {
  const privateDir = `${config.runDir}/private`;
  return {
    config: `${config.stateDir}/cluster.json`,
    /** Which nodes there are now: they may be added, stopped and deleted. */
    roster: `${config.stateDir}/nodes.json`,
    store: `${config.stateDir}/store.db`,
    pki: `${config.stateDir}/pki`,
    /** Kubeconfigs of the components: `admin.conf`, `kubelet-node-1.conf`, `service-proxy.conf`, … */
    kubeconfigs: `${config.stateDir}/kubeconfig`,
    /** `server.log`, `agent-1.log`, `holder.log`. */
    logs: `${config.stateDir}/logs`,
    auditLog: `${config.stateDir}/logs/audit.log`,
    /** The holder's control socket. */
    holderSocket: `${config.runDir}/holder.sock`,
    /** Where `server` and `agent-1`, … answer commands that need no whole API. */
    overviewSocket: (process: string) => `${config.runDir}/${process}.sock`,
    private: privateDir,
    /** A Unix socket per process that gives its metrics. */
    metricsSockets: `${privateDir}/metrics`,
    /** Bind mounts of network namespaces: `lan`, `outside`, `node-1`, and `pod-<uid>` per pod. */
    netns: `${privateDir}/netns`,
    /** Per node: its own root, and what kubelet and conmon keep at run time. */
    nodeState: (node: string) => `${config.stateDir}/nodes/${node}`,
    nodeRoot: (node: string) => `${privateDir}/nodes/${node}/root`,
    nodeRun: (node: string) => `${privateDir}/nodes/${node}/run`,
    /** A number of its own for each time the node was started. */
    bootId: (node: string) => `${privateDir}/nodes/${node}/boot-id`,
  } as const;
}
