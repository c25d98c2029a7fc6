/**
 * `netloom agent CONFIG NUMBER NODES`: the agents of the named nodes (pod network, kubelet, service proxy) in one
 * process whose home namespace is `lan`. Agent number 1 also owns the lab's cables.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { resources } from "../api/resources.ts";
import { createHttpsClient } from "../client/index.ts";
import { createPodNetwork } from "../components/cni/index.ts";
import { createKubelet } from "../components/kubelet/index.ts";
import { createLabNetwork } from "../components/lab-network/index.ts";
import { createMetricsSocket } from "../components/metrics-gateway/index.ts";
import { createServiceProxy, feedHostPorts, nodeNetwork } from "../components/service-proxy/index.ts";
import { composeNodeRoot, createContainerRuntime, prepareContainerHost } from "../container/index.ts";
import { openNetworkNamespace } from "../kernel/netns/index.ts";
import { openNftables } from "../kernel/nftables/index.ts";
import { systemClock as clock } from "../machinery/clock.ts";
import type { Component } from "../machinery/component.ts";
import { reportProgress } from "../machinery/control-socket/index.ts";
import { createInformer, createInformers, type Informer, type Informers } from "../machinery/informer/index.ts";
import { readKubeconfig } from "../machinery/kubeconfig/index.ts";
import { createLogger, type Logger } from "../machinery/log.ts";
import { createMetricsRegistry, type MetricsRegistry } from "../machinery/metrics/index.ts";
import type { EndpointSlice, Service } from "../api/generated/types.ts";
import { type ClusterConfig, clusterPaths, type NodeConfig } from "../model/cluster-config.ts";
import { agentSockets, waitForListener } from "./agent-sockets.ts";
import { readClusterFile } from "./cluster-file.ts";
import { writeCompileCacheLater } from "./compile-cache.ts";
import { controlPlaneMirrorPods } from "./mirror-pods.ts";
import { runTogether } from "./run-together.ts";
import { untilTerminated } from "./until-terminated.ts";

export async function agent([configFile = "", number = "1", names = ""]: readonly string[]): Promise<void> {
  const config = readClusterFile(configFile);
  const paths = clusterPaths(config);
  const log = createLogger(`agent-${number}`);
  const signal = untilTerminated();
  void writeCompileCacheLater(clock, signal);
  const nodes = config.nodes.filter(({ name }) => names.split(",").includes(name));
  try {
    prepareContainerHost();
    const network = createLabNetwork({ config, nodes, ownsLan: number === "1", log, clock });
    const networkRun = network.run(signal);
    await Promise.race([network.ready, networkRun]);
    if (number === "1") await reportProgress(paths.holderSocket, { step: "network", atMs: clock.now() });
    await waitForListener({ address: config.controlPlaneAddress, port: 6443, signal, clock });

    const proxyClient = await createHttpsClient(await readKubeconfig(join(paths.kubeconfigs, "service-proxy.conf")));
    const informers = createInformers({ source: proxyClient, clock, log });
    const shared = {
      informers,
      config,
      log,
      metrics: createMetricsRegistry({ withProcess: true }),
      services: informers.create({ resource: resources.services }),
      endpointSlices: informers.create({ resource: resources.endpointSlices }),
    };
    const components = await Promise.all(nodes.map((node) => createNodeAgent(node, shared)));
    const metricsSocket = createMetricsSocket({
      folder: paths.metricsSockets,
      process: `agent-${number}`,
      metrics: shared.metrics,
    });
    await Promise.all([networkRun, runTogether([informers, metricsSocket, ...components.flat()], signal)]);
  } catch (error) {
    if (signal.aborted) return;
    log.error("the agent cannot go on", { error });
    await reportProgress(paths.holderSocket, {
      step: "failed",
      detail: (error as Error).message,
      atMs: clock.now(),
    });
    process.exitCode = 1;
  }
}

interface Shared {
  readonly informers: Informers;
  readonly config: ClusterConfig;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  readonly services: Informer<Service>;
  readonly endpointSlices: Informer<EndpointSlice>;
}

/** Everything of one node, bound to its namespace, its folder and its identity. */
async function createNodeAgent(node: NodeConfig, shared: Shared): Promise<readonly Component[]> {
  const { config, metrics, services, endpointSlices } = shared;
  const paths = clusterPaths(config);
  const log = shared.log.child({ node: node.name });
  const netnsPath = join(paths.netns, node.name);
  const namespace = openNetworkNamespace(netnsPath);
  composeNodeRoot({ config, node });
  const network = createPodNetwork({
    config,
    node,
    nodeNamespace: namespace,
    stateDir: join(paths.nodeState(node.name), "cni"),
    log,
    clock,
  });
  const proxy = createServiceProxy({
    node: nodeNetwork(config, node),
    namespace,
    rules: openNftables({ namespace, toolsDir: config.toolsDir }),
    services,
    endpointSlices,
    clock,
    log,
    metrics,
  });
  // The proxy itself may not read pods; the node may read its own.
  const client = createHttpsClient(await readKubeconfig(join(paths.kubeconfigs, `kubelet-${node.name}.conf`)));
  const fieldSelector = `spec.nodeName=${node.name}`;
  const pods = createInformer({ source: client, resource: resources.pods, fieldSelector, clock, log });
  feedHostPorts(proxy, pods);
  const isControlPlane = node === config.nodes[0];
  const pem = (name: string): string => readFileSync(join(paths.pki, name), "utf8");
  const kubelet = createKubelet({
    config,
    node,
    client,
    runtime: createContainerRuntime({ config, node, log, clock }),
    network,
    nodeNetnsPath: netnsPath,
    sockets: agentSockets,
    serving: {
      certificate: pem(`kubelet-serving-${node.name}.crt`),
      key: pem(`kubelet-serving-${node.name}.key`),
      clientCa: pem("ca.crt"),
    },
    nodeRoot: paths.nodeRoot(node.name),
    services,
    isControlPlane,
    mirrorPods: isControlPlane ? controlPlaneMirrorPods(config, node, clock.now()) : [],
    metrics,
    log,
    clock,
  });
  return [network, pods, proxy, kubelet];
}
