/** The lab's network for the nodes an agent carries at the moment: plugged in and pulled out while the others run on. */
import { join } from "node:path";
import { createLabNetwork, removeLabNode } from "../components/lab-network/index.ts";
import type { Clock } from "../machinery/clock.ts";
import type { Logger } from "../machinery/log.ts";
import type { NodeList } from "../machinery/node-list.ts";
import { type ClusterConfig, clusterPaths, type NodeConfig } from "../model/cluster-config.ts";
import type { NetworkRepair } from "./repair-events.ts";

interface LabKeeperOptions {
  readonly config: ClusterConfig;
  readonly nodeList: NodeList;
  readonly ownsLan: boolean;
  readonly log: Logger;
  readonly clock: Clock;
  readonly onRepair: (repair: NetworkRepair) => void;
  readonly signal: AbortSignal;
}

export class LabKeeper {
  /** Rejects when the network cannot be kept. */
  readonly failure: Promise<never>;
  readonly #options: LabKeeperOptions;
  readonly #failed = Promise.withResolvers<never>();
  #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #carried = "";

  constructor(options: LabKeeperOptions) {
    this.#options = options;
    this.failure = this.#failed.promise;
    this.failure.catch(() => undefined);
  }

  /** Resolves when the nodes, and no others of this agent, are plugged in. */
  async carry(nodes: readonly NodeConfig[]): Promise<void> {
    const { config, nodeList, ownsLan, log, clock, onRepair, signal } = this.#options;
    const wanted = JSON.stringify([nodes, nodeList.current]);
    if (wanted === this.#carried || signal.aborted) return;
    this.#stop.abort();
    await this.#running;
    this.#stop = new AbortController();
    const network = createLabNetwork({
      config: { ...config, nodes: nodeList.current },
      nodes,
      ownsLan,
      log,
      clock,
      onRepair: (netns, what) =>
        onRepair({
          node: nodes.find(({ name }) => name === netns)?.name ?? config.nodes[0]?.name ?? "",
          component: `lab-network in ${netns}`,
          what,
        }),
    });
    const run = network.run(AbortSignal.any([signal, this.#stop.signal]));
    this.#running = run.catch((error: unknown) => this.#failed.reject(error));
    await Promise.race([network.ready, run]);
    this.#carried = wanted;
  }

  /** Takes what is left of a node that is not carried: its cable and its namespace. */
  remove(node: NodeConfig): void {
    removeLabNode(join(clusterPaths(this.#options.config).netns, "lan"), node, this.pathOf(node));
  }

  pathOf(node: Pick<NodeConfig, "name">): string {
    return join(clusterPaths(this.#options.config).netns, node.name);
  }

  async ended(): Promise<void> {
    await this.#running;
  }
}
