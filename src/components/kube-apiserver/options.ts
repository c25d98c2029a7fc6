/** What the API server is given by those who wire it. */
import type { Duplex } from "node:stream";
import type { Registry } from "../../api/registry/index.ts";
import type { Clock } from "../../machinery/clock.ts";
import type { Logger } from "../../machinery/log.ts";
import type { MetricsRegistry } from "../../machinery/metrics/index.ts";
import type { ClusterPki } from "../../machinery/pki/index.ts";
import type { ClusterConfig } from "../../model/cluster-config.ts";
import type { ObjectStore } from "../../storage/index.ts";
import type { Listener } from "./http/tls-server.ts";

export interface ApiServerOptions {
  readonly config: Pick<
    ClusterConfig,
    "name" | "clusterDomain" | "controlPlaneAddresses" | "kubernetesServiceAddress" | "serviceCidrs" | "nodePortRange"
  >;
  /** The server reads and writes it, the caller closes it after `run` has ended. */
  readonly store: ObjectStore;
  readonly registry: Registry;
  readonly pki: ClusterPki;
  readonly listeners: readonly Listener[];
  /** Opens a TCP connection to a node's kubelet, port 10250. Without it, streams answer 503. */
  readonly dialKubelet?: (nodeName: string) => Promise<Duplex>;
  /** Opens a TCP connection to a pod or a service's endpoint. Without it, their proxies answer 503. */
  readonly dialCluster?: (target: { readonly host: string; readonly port: number }) => Promise<Duplex>;
  /** Served at /metrics. Without it the server keeps one of its own. */
  readonly metrics?: MetricsRegistry;
  /** Gets a line of JSON per request, an audit.k8s.io/v1 Event at the level Metadata. Without it nothing is audited. */
  readonly writeAudit?: (line: string) => void;
  readonly clock: Clock;
  readonly log: Logger;
}
