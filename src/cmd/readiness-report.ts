/** Tells the holder when the nodes are Ready and when DNS answers: what `netloom up` waits for. */
import type { Deployment, Node } from "../api/generated/types.ts";
import { resources } from "../api/resources.ts";
import type { ApiClient } from "../client/index.ts";
import type { Clock } from "../machinery/clock.ts";
import type { Component } from "../machinery/component.ts";
import { reportProgress } from "../machinery/control-socket/index.ts";
import { createInformer } from "../machinery/informer/index.ts";
import type { Logger } from "../machinery/log.ts";
import { type ClusterConfig, clusterPaths } from "../model/cluster-config.ts";

const isReady = (node: Node): boolean =>
  node.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;

const isAvailable = (deployment: Deployment): boolean => (deployment.status?.readyReplicas ?? 0) > 0;

export function createReadinessReport(options: {
  readonly config: ClusterConfig;
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly log: Logger;
}): Component {
  const { config, client, clock, log } = options;
  const { holderSocket } = clusterPaths(config);
  const shared = { source: client, clock, log };
  const nodes = createInformer({ ...shared, resource: resources.nodes });
  const deployments = createInformer({ ...shared, resource: resources.deployments, namespace: "kube-system" });
  const said = new Set<string>();
  const say = async (step: "nodes-ready" | "dns-ready", detail: string): Promise<void> => {
    if (said.has(step)) return;
    said.add(step);
    await reportProgress(holderSocket, { step, detail, atMs: clock.now() });
  };
  return {
    name: "readiness-report",
    ready: nodes.ready,
    run: async (signal) => {
      const failure = Promise.withResolvers<void>();
      const look = async (): Promise<void> => {
        const ready = nodes.store.list().filter(isReady).length;
        if (ready < config.nodes.length) return;
        await say("nodes-ready", `${ready} ${ready === 1 ? "node" : "nodes"}`);
        const dns = deployments.store.list().find(({ metadata }) => metadata?.name === "coredns");
        if (dns !== undefined && isAvailable(dns)) await say("dns-ready", `at ${config.dnsServiceAddress}`);
      };
      const react = (): void => void look().catch(failure.reject);
      nodes.onChange(react);
      deployments.onChange(react);
      await Promise.race([Promise.all([nodes.run(signal), deployments.run(signal)]), failure.promise]);
    },
  };
}
