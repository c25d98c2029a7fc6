/** The nodes one agent process carries: started and ended as the roster says, each independent of the others. */
import { existsSync } from "node:fs";
import { reportNodeState } from "../machinery/control-socket/index.ts";
import { clusterPaths } from "../model/cluster-config.ts";
import type { NodeRoster, RosterEntry } from "../model/node-roster/index.ts";
import type { LabKeeper } from "./lab-keeper.ts";
import { clearNode, createNodeAgent, type NodeAgent, type NodeSurroundings } from "./node-agent.ts";
import { runTogether } from "./run-together.ts";

interface RunningNode {
  readonly agent: NodeAgent;
  readonly stop: AbortController;
  readonly running: Promise<void>;
}

export class AgentNodes {
  /** Rejects when a node cannot go on; then the process ends and is started again. */
  readonly failure: Promise<never>;
  readonly #options: {
    readonly lab: LabKeeper;
    readonly shared: NodeSurroundings;
    readonly signal: AbortSignal;
  };
  readonly #failed = Promise.withResolvers<never>();
  readonly #running = new Map<string, RunningNode>();

  constructor(options: { readonly lab: LabKeeper; readonly shared: NodeSurroundings; readonly signal: AbortSignal }) {
    this.#options = options;
    this.failure = this.#failed.promise;
    this.failure.catch(() => undefined);
  }

  /** Resolves when the wanted nodes were started (not yet Ready) and nothing of the others runs. */
  async carry(own: NodeRoster): Promise<void> {
    const { lab, shared, signal } = this.#options;
    const wanted = own.filter((entry) => entry.wanted === "running").map(({ node }) => node);
    for (const entry of own) if (entry.wanted !== "running") await this.#end(entry);
    await lab.carry(wanted);
    for (const entry of own) if (entry.wanted !== "running") await this.#clear(entry);
    const started = wanted.filter(({ name }) => !this.#running.has(name) && !signal.aborted);
    await Promise.all(
      started.map(async (node) => {
        const agent = await createNodeAgent(node, shared);
        const stop = new AbortController();
        // A node that is stopped before it was ready has not failed.
        const fail = (error: unknown): void => {
          if (!stop.signal.aborted) this.fail(error);
        };
        const running = runTogether(agent.components, AbortSignal.any([signal, stop.signal])).catch(fail);
        this.#running.set(node.name, { agent, stop, running });
        agent.ready.then(() => this.#report(node.name, "running")).catch(fail);
      }),
    );
  }

  readonly carries = (name: string): boolean => this.#running.has(name);

  readonly fail = (error: unknown): void => this.#failed.reject(error);

  /** After the process was told to end: the nodes' containers live on. */
  async ended(): Promise<void> {
    await Promise.all(
      [...this.#running.values()].map(async ({ agent, running }) => {
        await running;
        agent.close();
      }),
    );
  }

  /** Its agent part ends; with a shutdown the API hears of it first, so that its pods leave the Services at once. */
  async #end({ node, end }: RosterEntry): Promise<void> {
    const present = this.#running.get(node.name);
    if (present === undefined) return;
    if (end === "shutdown") await present.agent.announceShutdown();
    present.stop.abort();
    await present.running;
    this.#running.delete(node.name);
    if (end === "shutdown") await present.agent.shutDownPods();
    present.agent.close();
  }

  /** Also where an agent before this one left it half ended. */
  async #clear({ node }: RosterEntry): Promise<void> {
    const { lab, shared } = this.#options;
    if (existsSync(lab.pathOf(node))) {
      await clearNode(node, shared);
      lab.remove(node);
    }
    await this.#report(node.name, "stopped");
  }

  async #report(name: string, state: "running" | "stopped"): Promise<void> {
    if (this.#options.signal.aborted) return;
    await reportNodeState(clusterPaths(this.#options.shared.config).holderSocket, name, state);
  }
}
