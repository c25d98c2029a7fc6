import { readdirSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../machinery/clock.ts";
import type { Component } from "../../machinery/component.ts";
import type { Logger } from "../../machinery/log.ts";
import { removeNetworkNamespace } from "../../kernel/netns/index.ts";
import type { NodeConfig } from "../../model/cluster-config.ts";
import { AttachmentStore, recordedUids } from "./attachment-store.ts";
import { NodePods, type Resync } from "./node-pods.ts";
import type { AttachedPod, PodNetworkOptions } from "./types.ts";

/** The pod network of one node. `run` keeps the node's routes and the pods' links as planned; `attach` works at once. */
export interface PodNetwork extends Component {
  /**
   * Makes the pod's namespace with addresses and routes in place, before anything runs in it. What is left of the same
   * uid is replaced. Rejects with `NoFreeAddressError`, `NetlinkError` or `NetworkNamespaceError`, leaving nothing.
   */
  attach(pod: Pick<AttachedPod, "namespace" | "name" | "uid">): Promise<AttachedPod>;
  /** Removes the namespace and gives the addresses back; harmless when there is none. Its processes must have ended. */
  detach(pod: Pick<AttachedPod, "uid">): Promise<void>;
  /** Also those attached before a restart of the agent, but not those whose namespaces went with the cluster's stop. */
  list(): readonly AttachedPod[];
  /** What is not as it should be, such as "set-route 10.244.1.5/32"; empty where all is well. Repairs nothing. */
  check(pod: Pick<AttachedPod, "uid">): Promise<readonly string[]>;
}

const tickMs = 1000;
/** Everything is compared this often though the kernel reported no change: settings are not reported. */
const ticksPerFullResync = 30;
/** Pods are looked into in turn, one per second of a node; where a process has more nodes than these, less often. */
const podsPerSecond = 10;

export function createPodNetwork(options: PodNetworkOptions): PodNetwork {
  const { clock = systemClock, log } = options;
  const node = new NodePods(options);
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => undefined);
  return {
    name: "pod-network",
    ready: ready.promise,
    attach: async (pod) => node.attach(pod),
    detach: async (pod) => node.detach(pod.uid),
    list: () => node.list(),
    check: async (pod) => node.check(pod.uid),
    run: async (signal) => {
      // A node that came or went changes this one's routes: that is no repair, and nothing to tell.
      const anew: Resync = { isFull: true, isPodsTurn: true, log: undefined };
      const unsubscribe = options.nodes?.onChange(() => resyncQuietly(node, anew, log));
      try {
        node.resync(anew);
        ready.resolve();
        // Not all nodes of a process in the same second.
        for (let tick = placeOf(options) + 1; !signal.aborted; tick += 1) {
          await clock.sleep(tickMs, signal).catch(() => undefined);
          const isPodsTurn = tick % Math.ceil(countOf(options) / podsPerSecond) === 0;
          if (!signal.aborted) resyncQuietly(node, { isFull: tick % ticksPerFullResync === 0, isPodsTurn, log }, log);
        }
      } catch (error) {
        ready.reject(error);
        throw error;
      } finally {
        unsubscribe?.();
        node.close();
      }
    },
  };
}

const nodesOf = ({ nodes, config }: PodNetworkOptions): readonly NodeConfig[] => nodes?.current ?? config.nodes;
const countOf = (options: PodNetworkOptions): number => Math.max(1, nodesOf(options).length);
const placeOf = (options: PodNetworkOptions): number =>
  Math.max(
    0,
    nodesOf(options).findIndex(({ name }) => name === options.node.name),
  );

function resyncQuietly(node: NodePods, how: Resync, log: Logger): void {
  try {
    node.resync(how);
  } catch (error) {
    log.warn("cannot bring the pod network into order, trying again", { error });
  }
}

/** Removes the namespaces of all pods of a node that does not run; their addresses are free again when it returns. */
export function removePodNetworks(netnsDir: string, stateDir: string): void {
  const store = new AttachmentStore(stateDir, () => undefined);
  for (const { uid } of store.list()) {
    removeNetworkNamespace(`${netnsDir}/pod-${uid}`);
    store.delete(uid);
  }
}

const ofPod = /^pod-(.+)$/;

/**
 * Removes the namespaces of pods that no record of any node tells of; returns their uids. `stateDirs` are those of all
 * nodes. Safe at any time, also beside agents at work: a record is written before its namespace is made, and outlives it.
 */
export function removeUnknownPodNetworks(netnsDir: string, stateDirs: readonly string[]): readonly string[] {
  const uids = readdirSync(netnsDir).flatMap((name) => ofPod.exec(name)?.[1] ?? []);
  const known = new Set(stateDirs.flatMap(recordedUids));
  const unknown = uids.filter((uid) => !known.has(uid));
  for (const uid of unknown) removeNetworkNamespace(join(netnsDir, `pod-${uid}`));
  return unknown;
}
