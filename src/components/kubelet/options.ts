/** What a kubelet is given: its node, the API, a runtime, a pod network and the way to sockets in the node's namespaces. */
import type { Socket } from "node:net";
import type { Pod, Service } from "../../api/generated/types.ts";
import type { ApiClient } from "../../client/api-client.ts";
import type { ContainerRuntime } from "../../container/runtime.ts";
import type { Clock } from "../../machinery/clock.ts";
import type { Informer } from "../../machinery/informer/index.ts";
import type { Logger } from "../../machinery/log.ts";
import type { MetricsRegistry } from "../../machinery/metrics/index.ts";
import type { ClusterConfig, NodeConfig } from "../../model/cluster-config.ts";
import type { StartLimit } from "./pods/limit-concurrency.ts";

/** The network of one pod. */
export interface PodAttachment {
  readonly uid: string;
  /** Absolute path of the namespace's mount. */
  readonly netnsPath: string;
  /** One or, with two families, two; the first is `status.podIP`. */
  readonly ips: readonly string[];
}

/** Gives pods their network, and takes it away. */
interface PodNetworkPlugin {
  /** Makes the pod's namespace with its addresses before its first process; replaces what is there of the same uid. */
  attach(pod: { readonly namespace: string; readonly name: string; readonly uid: string }): Promise<PodAttachment>;
  /** Harmless where there is none. */
  detach(pod: { readonly uid: string }): Promise<void>;
  /** Also those that an agent before this one made. */
  list(): readonly PodAttachment[];
}

/** Sockets in the node's and its pods' network namespaces. */
export interface KubeletSockets {
  /** Connects to an address from inside the namespace at `netnsPath`; rejects with the errno as `code`. */
  dial(target: {
    readonly netnsPath: string;
    readonly address: string;
    readonly port: number;
    readonly signal?: AbortSignal;
  }): Promise<Socket>;
  /** A file descriptor bound (not listening) to the node's address, for the kubelet's server. */
  bind(target: { readonly netnsPath: string; readonly address: string; readonly port: number }): number;
}

export interface KubeletServing {
  /** PEM. The node's certificate and key; client certificates must be of `clientCa`. */
  readonly certificate: string;
  readonly key: string;
  readonly clientCa: string;
  /** 10250 unless a test says otherwise. */
  readonly port?: number;
}

/**
 * A pod that stands for a part of the node that is not a container (the API server, say): shown in the API, with the
 * state running, never started or stopped by the kubelet.
 */
export interface MirrorPod {
  /** With `metadata.name`, `metadata.namespace` and `spec.nodeName`. */
  readonly pod: Pod;
  readonly startedAtMs: number;
  /** Absolute; JSON lines with a `time`, which `kubectl logs` shows. */
  readonly logFile?: string;
}

export interface KubeletOptions {
  readonly config: ClusterConfig;
  readonly node: NodeConfig;
  /** Of the user `system:node:<name>`. */
  readonly client: ApiClient;
  readonly runtime: ContainerRuntime;
  readonly network: PodNetworkPlugin;
  /** Path of the node's own network namespace: probes start there, pods on the host's network live there. */
  readonly nodeNetnsPath: string;
  readonly sockets: KubeletSockets;
  /** Undefined: no server. */
  readonly serving?: KubeletServing;
  /** Of all Services, for the environment of containers; who gives it runs it. Undefined: the kubelet watches them itself. */
  readonly services?: Informer<Service>;
  /** Of the pods of this node, which others may read too; who gives it runs it. Undefined: the kubelet watches them itself. */
  readonly pods?: Informer<Pod>;
  /** How many pods are made ready and started at once; kubelets of one process share it. Undefined: four of this node. */
  readonly startLimit?: StartLimit;
  /** The node's root folder in the agent's mount namespace; `/var/lib/kubelet`, `/var/log/pods` and hostPaths lie under it. */
  readonly nodeRoot: string;
  /** A number of its own for each time the node was switched on; the machine's where absent. */
  readonly bootId?: string;
  /** Shown as role and in `kubectl get nodes`; the first node of a cluster. */
  readonly isControlPlane: boolean;
  readonly mirrorPods?: readonly MirrorPod[];
  readonly metrics?: MetricsRegistry;
  readonly log: Logger;
  readonly clock: Clock;
}
