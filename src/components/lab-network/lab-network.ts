import {
  createNetworkNamespace,
  isNetworkNamespace,
  openNetworkNamespace,
  removeNetworkNamespace,
} from "../../kernel/netns/index.ts";
import { NamespaceNetwork } from "../../kernel/namespace-network/index.ts";
import type { NetworkNamespace } from "../../kernel/network-namespace.ts";
import { type Clock, systemClock } from "../../machinery/clock.ts";
import type { Component } from "../../machinery/component.ts";
import type { Logger } from "../../machinery/log.ts";
import { type ClusterConfig, clusterPaths, type NodeConfig } from "../../model/cluster-config.ts";
import { planLan, planNodeCable, planNodeUplink, planOutside } from "../../model/lab-network/index.ts";
import { mergePlans, type NetworkOperation, type NetworkPlan, operationText } from "../../model/network-state/index.ts";

interface LabNetworkOptions {
  readonly config: ClusterConfig;
  /** The nodes of this agent; it makes their namespaces and cables. */
  readonly nodes: readonly NodeConfig[];
  /** One agent owns the router and the outside; the others plug their nodes into its bridge. */
  readonly ownsLan: boolean;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Called with what had to be put back in a namespace, once everything had been in place. */
  onRepair?(netns: string, what: readonly string[]): void;
}

const tickMs = 1000;
/** Everything is compared this often though the kernel reported no change: settings are not reported. */
const ticksPerFullResync = 30;
/** Until the router's owner has made the bridge. */
const retryMs = 100;

/**
 * The lab's network. The namespace `lan` must exist; `outside` and those of the nodes are made where they do not. Ready
 * once everything is there; then what is taken away by hand is put back within a second or two. It leaves the kernel's
 * state when its signal aborts: the cluster's end removes it.
 */
export function createLabNetwork(options: LabNetworkOptions): Component {
  const { log, clock = systemClock } = options;
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => undefined);
  return {
    name: "lab-network",
    ready: ready.promise,
    run: async (signal) => {
      let parts: readonly Part[] = [];
      let isReady = false;
      let tick = 0;
      try {
        parts = openParts(options);
        for (const { name, network, plan } of parts) if (name !== "lan") network.apply(inherited(plan));
        while (!signal.aborted) {
          try {
            reconcile(parts, { isFull: tick % ticksPerFullResync === 0, options: isReady ? options : undefined });
            isReady = true;
            tick += 1;
            ready.resolve();
          } catch (error) {
            if (!isReady && options.ownsLan) throw error;
            // Before it is ready: another agent owns the bridge, and may start later than this one.
            if (isReady) log.warn("cannot bring the lab's network into order, trying again", { error });
            else log.debug("cannot make the lab's network yet, trying again", { error });
            tick = 0;
          }
          await clock.sleep(isReady ? tickMs : retryMs, signal).catch(() => undefined);
        }
      } catch (error) {
        ready.reject(error);
        throw error;
      } finally {
        for (const { namespace, network } of parts) {
          network.close();
          namespace.close();
        }
      }
      ready.reject(new Error("Cannot make the lab's network: it was stopped"));
    },
  };
}

/** A namespace with what it should hold. */
interface Part {
  readonly name: string;
  readonly namespace: NetworkNamespace;
  readonly network: NamespaceNetwork;
  readonly plan: NetworkPlan;
}

/** In an order in which each link is made before its other end is looked for. */
function openParts({ config, nodes, ownsLan }: LabNetworkOptions): readonly Part[] {
  const { netns } = clusterPaths(config);
  const pathOf = (name: string): string => `${netns}/${name}`;
  const hosts = [
    ...(ownsLan ? [{ name: "outside", plan: planOutside(config) }] : []),
    ...nodes.map((node) => ({ name: node.name, plan: planNodeUplink(config, node) })),
  ].map(({ name, plan }) => {
    const namespace = openOrCreate(pathOf(name));
    return { name, namespace, network: new NamespaceNetwork(namespace, "labNetwork"), plan };
  });
  const lan = mergePlans([
    ...(ownsLan ? [planLan(config, pathOf("outside"))] : []),
    ...nodes.map((node) => planNodeCable(node, pathOf(node.name))),
  ]);
  const router = openNetworkNamespace(pathOf("lan"));
  const network = new NamespaceNetwork(router, ownsLan ? "labNetwork" : "labCables");
  return [{ name: "lan", namespace: router, network, plan: lan }, ...hosts];
}

/** Links inherit these as they come up, and a node's link comes up when its other end is made in the router: before its turn. */
function inherited({ sysctls }: NetworkPlan): readonly NetworkOperation[] {
  return sysctls.filter(({ link }) => link === undefined).map((sysctl) => ({ type: "set-sysctl", sysctl }));
}

function openOrCreate(path: string): NetworkNamespace {
  return isNetworkNamespace(path) ? openNetworkNamespace(path) : createNetworkNamespace(path);
}

/** With options, each thing that had to be put back is told. */
function reconcile(
  parts: readonly Part[],
  how: { readonly isFull: boolean; readonly options: LabNetworkOptions | undefined },
): void {
  for (const { name, network, plan } of parts) {
    if (!network.hasChanged() && !how.isFull) continue;
    const operations = network.reconcile(plan).operations.map(operationText);
    if (operations.length === 0) continue;
    how.options?.log.warn("put back what was missing in the lab's network", { netns: name, operations });
    how.options?.onRepair?.(name, operations);
  }
}

/** Pulls the cable of a node that no lab network keeps any more, and removes its namespace. Harmless when repeated. */
export function removeLabNode(lanPath: string, node: NodeConfig, netnsPath: string): void {
  const lan = openNetworkNamespace(lanPath);
  try {
    const network = new NamespaceNetwork(lan, "labCables");
    try {
      // Not left to the end of the namespace: a connection that lingers in it would keep both.
      const { links } = planNodeCable(node, netnsPath);
      network.apply(links.map(({ name }) => ({ type: "delete-link", name })));
    } finally {
      network.close();
    }
  } finally {
    lan.close();
  }
  removeNetworkNamespace(netnsPath);
}
