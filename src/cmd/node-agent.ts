/** Everything of one node: pod network, service proxy, kubelet, bound to its namespace, its folder and its identity. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { dirname, join } from "node:path";
import type { EndpointSlice, Node, Service, ServiceCIDR } from "../api/generated/types.ts";
import { resources } from "../api/resources.ts";
import { createHttpsClient } from "../client/index.ts";
import { createPodNetwork, removePodNetworks, removeUnknownPodNetworks } from "../components/cni/index.ts";
import { announceShutdown, createKubelet, failPods, type StartLimit } from "../components/kubelet/index.ts";
import { createServiceProxy, feedHostPorts, nodeNetwork } from "../components/service-proxy/index.ts";
import {
  composeNodeRoot,
  type ContainerRuntime,
  type ContainerStatus,
  type CatalogSource,
  createContainerRuntime,
  updateNodeNames,
} from "../container/index.ts";
import { openNetworkNamespace } from "../kernel/netns/index.ts";
import { openNftables } from "../kernel/nftables/index.ts";
import type { Clock } from "../machinery/clock.ts";
import type { Component } from "../machinery/component.ts";
import type { OutputKeeper } from "../machinery/control-socket/index.ts";
import { createInformer, type Informer } from "../machinery/informer/index.ts";
import { readKubeconfig } from "../machinery/kubeconfig/index.ts";
import type { Logger } from "../machinery/log.ts";
import type { MetricsRegistry } from "../machinery/metrics/index.ts";
import type { NodeList } from "../machinery/node-list.ts";
import type { Turns } from "../machinery/turns.ts";
import { type ClusterConfig, clusterPaths, type NodeConfig } from "../model/cluster-config.ts";
import { agentSockets } from "./agent-sockets.ts";
import { controlPlaneMirrorPods } from "./mirror-pods.ts";
import type { NetworkRepair } from "./repair-events.ts";

/** What the nodes of one process share. */
export interface NodeSurroundings {
  readonly config: ClusterConfig;
  readonly nodeList: NodeList;
  readonly log: Logger;
  readonly clock: Clock;
  readonly metrics: MetricsRegistry;
  readonly services: Informer<Service>;
  readonly endpointSlices: Informer<EndpointSlice>;
  readonly serviceCidrs: Informer<ServiceCIDR>;
  readonly nodes: Informer<Node>;
  readonly outputs: OutputKeeper;
  readonly catalog: CatalogSource;
  readonly startLimit: StartLimit;
  readonly turns: Turns;
  readonly onRepair: (repair: NetworkRepair) => void;
}

export interface NodeAgent {
  readonly components: readonly Component[];
  /** Resolves when the node is Ready. */
  readonly ready: Promise<void>;
  /** Tells the API that the node goes; while its components still run. */
  announceShutdown(): Promise<void>;
  /** Ends the containers, in a moment each, and says so of their pods; after the components have ended. */
  shutDownPods(): Promise<void>;
  /** Closes what was opened, after the components have ended. */
  close(): void;
}

export async function createNodeAgent(node: NodeConfig, shared: NodeSurroundings): Promise<NodeAgent> {
  const { config, metrics, services, endpointSlices, serviceCidrs, nodes, clock, nodeList } = shared;
  const paths = clusterPaths(config);
  const log = shared.log.child({ node: node.name });
  const netnsPath = join(paths.netns, node.name);
  const namespace = openNetworkNamespace(netnsPath);
  const updateNames = (): void => {
    try {
      updateNodeNames({ config: { ...config, nodes: nodeList.current }, node });
    } catch (error) {
      log.warn("cannot write the nodes' names", { error });
    }
  };
  composeNodeRoot({ config: { ...config, nodes: nodeList.current }, node });
  const unsubscribe = nodeList.onChange(updateNames);
  const client = createHttpsClient(await readKubeconfig(join(paths.kubeconfigs, `kubelet-${node.name}.conf`)));
  const network = createPodNetwork({
    node,
    config,
    nodes: nodeList,
    nodeNamespace: namespace,
    stateDir: podNetworkState(config, node),
    log,
    clock,
    onRepair: (what) => shared.onRepair({ node: node.name, component: "pod-network", what }),
  });
  const rules = openNftables({ namespace, toolsDir: config.toolsDir });
  const proxy = createServiceProxy({
    node: nodeNetwork(config, node),
    namespace,
    rules,
    services,
    endpointSlices,
    serviceCidrs,
    nodes,
    turns: shared.turns,
    clock,
    log,
    metrics,
    onRepair: (what) => shared.onRepair({ node: node.name, component: "service-proxy", what }),
  });
  // The proxy itself may not read pods; the node may read its own.
  const fieldSelector = `spec.nodeName=${node.name}`;
  const pods = createInformer({ source: client, resource: resources.pods, fieldSelector, clock, log });
  feedHostPorts(proxy, pods);
  const runtime = createContainerRuntime({
    config,
    node,
    outputs: shared.outputs,
    catalog: shared.catalog,
    log,
    clock,
  });
  const isControlPlane = node.name === config.nodes[0]?.name;
  const pem = (name: string): string => readFileSync(join(paths.pki, name), "utf8");
  const kubelet = createKubelet({
    config,
    node,
    client,
    runtime,
    network,
    nodeNetnsPath: netnsPath,
    sockets: agentSockets,
    serving: {
      certificate: pem(`kubelet-serving-${node.name}.crt`),
      key: pem(`kubelet-serving-${node.name}.key`),
      clientCa: pem("ca.crt"),
    },
    nodeRoot: paths.nodeRoot(node.name),
    bootId: bootIdOf(paths.bootId(node.name)),
    services,
    pods,
    startLimit: shared.startLimit,
    isControlPlane,
    mirrorPods: isControlPlane ? controlPlaneMirrorPods(config, node, clock.now()) : [],
    metrics,
    log,
    clock,
  });
  return {
    components: [pods, network, proxy, kubelet],
    ready: kubelet.ready,
    announceShutdown: async () => await announceShutdown({ client, node: node.name, clock, log }),
    shutDownPods: async () => {
      const ended = await endContainers(runtime, shutdownGraceMs);
      await failPods({ client, pods: pods.store.list(), ended, clock, log });
    },
    close: () => {
      unsubscribe();
      client.close();
      runtime.close();
      rules.close();
      namespace.close();
    },
  };
}

/** A pod gets this long to end by itself when its node is shut down. */
const shutdownGraceMs = 1000;

/** Removes what a node that does not run has left: containers, the pods' networks, what it remembers of this boot. */
export async function clearNode(
  node: NodeConfig,
  { config, outputs, catalog, log, clock }: NodeSurroundings,
): Promise<void> {
  const paths = clusterPaths(config);
  const runtime = createContainerRuntime({ config, node, outputs, catalog, log, clock });
  try {
    await endContainers(runtime, 0);
  } finally {
    runtime.close();
  }
  removePodNetworks(paths.netns, podNetworkState(config, node));
  rmSync(paths.bootId(node.name), { force: true });
}

/** Removes the networks of pods that no node knows of; `nodes` are all of the cluster's. */
export function sweepPodNetworks(
  nodes: readonly NodeConfig[],
  { config, log }: Pick<NodeSurroundings, "config" | "log">,
): void {
  const stateDirs = nodes.map((node) => podNetworkState(config, node));
  const removed = removeUnknownPodNetworks(clusterPaths(config).netns, stateDirs);
  if (removed.length > 0) log.warn("removed the networks of pods that no node knows", { uids: removed });
}

/** Returns how each has ended. */
async function endContainers(runtime: ContainerRuntime, graceMs: number): Promise<readonly ContainerStatus[]> {
  const containers = await runtime.list();
  return await Promise.all(
    containers.map(async ({ id }) => {
      const ended = await runtime.stop(id, { graceMs });
      await runtime.remove(id);
      return ended;
    }),
  );
}

const podNetworkState = (config: ClusterConfig, node: NodeConfig): string =>
  join(clusterPaths(config).nodeState(node.name), "cni");

/** As a machine's: it stays while the agent restarts, and is new after the node was off. */
function bootIdOf(path: string): string {
  if (existsSync(path)) return readFileSync(path, "utf8");
  const id = randomUUID();
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, id);
  renameSync(`${path}.new`, path);
  return id;
}
