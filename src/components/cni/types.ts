import type { NetworkNamespace } from "../../kernel/network-namespace.ts";
import type { Clock } from "../../machinery/clock.ts";
import type { Logger } from "../../machinery/log.ts";
import type { NodeList } from "../../machinery/node-list.ts";
import type { ClusterConfig, NodeConfig } from "../../model/cluster-config.ts";

export interface PodNetworkOptions {
  readonly config: ClusterConfig;
  readonly node: NodeConfig;
  /** The node's namespace; stays the caller's, and open until `run` has ended. */
  readonly nodeNamespace: NetworkNamespace;
  /** Absolute; of this node only. Keeps the addresses across restarts. */
  readonly stateDir: string;
  /** All nodes of the cluster as they come and go; those of `config` where absent. */
  readonly nodes?: NodeList;
  /** Called with what had to be put back, once everything had been in place. */
  onRepair?(what: readonly string[]): void;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Of the node's link into the node network; 1500 by default. */
  readonly mtuBytes?: number;
}

/** A pod that has a network. */
export interface AttachedPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** For the container runtime; a bind mount in this process' mount namespace. */
  readonly netnsPath: string;
  /** At most one per family, as the pod's `status.podIPs`. */
  readonly ips: readonly string[];
}
