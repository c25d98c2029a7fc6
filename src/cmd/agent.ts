/**
 * `netloom agent CONFIG NUMBER`: carries nodes in one process whose home namespace is `lan`: those that the holder's
 * roster gives it, as they are added, stopped, started and deleted. Agent number 1 also owns the lab's cables.
 */
import { join } from "node:path";
import { resources } from "../api/resources.ts";
import { createHttpsClient } from "../client/index.ts";
import { countNamespaces } from "../components/lab-inspection/index.ts";
import { createMetricsSocket } from "../components/metrics-gateway/index.ts";
import { limitConcurrency } from "../components/kubelet/index.ts";
import { createImageCatalog, prepareContainerHost } from "../container/index.ts";
import { systemClock as clock } from "../machinery/clock.ts";
import { followRoster, openOutputKeeper, reportProgress } from "../machinery/control-socket/index.ts";
import { createInformers } from "../machinery/informer/index.ts";
import { readKubeconfig } from "../machinery/kubeconfig/index.ts";
import { createLogger } from "../machinery/log.ts";
import { createIdleCollection, processMemory } from "../machinery/memory/index.ts";
import { createMetricsRegistry } from "../machinery/metrics/index.ts";
import { createNodeList } from "../machinery/node-list.ts";
import { createTurns } from "../machinery/turns.ts";
import { clusterPaths } from "../model/cluster-config.ts";
import { AgentNodes } from "./agent-nodes.ts";
import { waitForListener } from "./agent-sockets.ts";
import { readClusterFile } from "./cluster-file.ts";
import { writeCompileCacheLater } from "./compile-cache.ts";
import { LabKeeper } from "./lab-keeper.ts";
import { sweepPodNetworks } from "./node-agent.ts";
import { createOverviewSocket } from "./overview/index.ts";
import { createRepairEvents } from "./repair-events.ts";
import { runTogether } from "./run-together.ts";
import { untilTerminated } from "./until-terminated.ts";

/** Of all nodes: more would only slow each other down, and keep the nodes' own reports waiting. */
const concurrentStarts = 12;

export async function agent([configFile = "", number = "1"]: readonly string[]): Promise<void> {
  const config = readClusterFile(configFile);
  const paths = clusterPaths(config);
  const log = createLogger(`agent-${number}`, { level: config.logLevel });
  const signal = untilTerminated();
  void writeCompileCacheLater(clock, signal);
  try {
    prepareContainerHost();
    const proxyClient = createHttpsClient(await readKubeconfig(join(paths.kubeconfigs, "service-proxy.conf")));
    const informers = createInformers({ source: proxyClient, clock, log });
    const repairs = createRepairEvents({ client: proxyClient, clock, log });
    const metrics = createMetricsRegistry({ withProcess: true });
    const idleCollection = createIdleCollection({ memory: processMemory(), clock });
    const metricsSocket = createMetricsSocket({ folder: paths.metricsSockets, process: `agent-${number}`, metrics });
    const nodeList = createNodeList(config.nodes);
    const lab = new LabKeeper({
      config,
      nodeList,
      ownsLan: number === "1",
      log,
      clock,
      onRepair: repairs.note,
      signal,
    });
    const nodes = new AgentNodes({
      lab,
      signal,
      shared: {
        config,
        log,
        clock,
        nodeList,
        metrics,
        services: informers.create({ resource: resources.services }),
        endpointSlices: informers.create({ resource: resources.endpointSlices }),
        serviceCidrs: informers.create({ resource: resources.serviceCidrs }),
        nodes: informers.create({ resource: resources.nodes }),
        outputs: await openOutputKeeper(paths.holderSocket, signal),
        catalog: createImageCatalog(config),
        startLimit: limitConcurrency(concurrentStarts),
        turns: createTurns(),
        onRepair: repairs.note,
      },
    });
    const overviewSocket = createOverviewSocket({
      path: paths.overviewSocket(`agent-${number}`),
      answer: async ({ about }) =>
        about === "kernel" ? countNamespaces({ folder: paths.netns, isWanted: nodes.carries }) : undefined,
      log,
    });
    const carry = async (): Promise<void> => {
      let isServing = false;
      for await (const roster of followRoster(paths.holderSocket, signal)) {
        nodeList.set(roster.map(({ node }) => node));
        const own = roster.filter((entry) => entry.agent === Number(number));
        if (!isServing) {
          await lab.carry(own.filter(({ wanted }) => wanted === "running").map(({ node }) => node));
          if (number === "1") sweepPodNetworks(nodeList.current, { config, log });
          if (number === "1") await reportProgress(paths.holderSocket, { step: "network", atMs: clock.now() });
          await waitForListener({ address: config.controlPlaneAddresses[0], port: 6443, signal, clock });
          runTogether([informers, repairs, metricsSocket, overviewSocket, idleCollection], signal).catch(nodes.fail);
          isServing = true;
        }
        await nodes.carry(own);
      }
      if (!signal.aborted) throw new Error("Cannot follow the cluster's nodes: the holder closed the connection");
    };
    await Promise.race([carry(), nodes.failure, lab.failure]);
    await Promise.all([nodes.ended(), lab.ended()]);
  } catch (error) {
    if (signal.aborted) return;
    log.error("the agent cannot go on", { error });
    await reportProgress(paths.holderSocket, {
      step: "failed",
      process: `agent-${number}`,
      detail: (error as Error).message,
      atMs: clock.now(),
    });
    // Some of its parts may still be at work, and none of them alone is a node.
    process.exit(1);
  }
}
