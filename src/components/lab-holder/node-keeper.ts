/** The cluster's nodes as they are meant to be, kept in a file, and how far the agents are with it. */
import { renameSync, writeFileSync } from "node:fs";
import type { ControlAnswer, NodeReport } from "../../machinery/control-socket/index.ts";
import type { Logger } from "../../machinery/log.ts";
import type { ClusterConfig, NodeConfig } from "../../model/cluster-config.ts";
import { changeRoster, type NodeChange, type NodeRoster, NodeRosterError } from "../../model/node-roster/index.ts";

export interface NodeKeeper {
  reports(): readonly NodeReport[];
  /** Calls back with the roster now and after each change; returns how to stop. */
  follow(callback: (roster: NodeRoster) => void): () => void;
  change(change: NodeChange): ControlAnswer;
  /** An agent says that the node runs, or that nothing of it is left running. */
  noteState(name: string, state: "running" | "stopped"): void;
}

export function createNodeKeeper(options: {
  readonly config: ClusterConfig;
  readonly roster: NodeRoster;
  /** Written whole or not at all at each change. */
  readonly file: string;
  readonly log: Logger;
  /** Before a node is added, with all nodes. */
  onAdd(nodes: readonly NodeConfig[]): void;
  /** After a deleted node has ended. */
  onDeleted(name: string): void;
}): NodeKeeper {
  const { config, file, log } = options;
  const followers = new Set<(roster: NodeRoster) => void>();
  const states = new Map<string, "running" | "stopped">();
  let roster = options.roster;

  function save(next: NodeRoster): void {
    writeFileSync(`${file}.new`, JSON.stringify(next, undefined, 2), { mode: 0o600 });
    renameSync(`${file}.new`, file);
    roster = next;
    for (const follower of followers) follower(roster);
  }

  function forget(name: string): void {
    options.onDeleted(name);
    states.delete(name);
    save(roster.filter(({ node }) => node.name !== name));
  }

  return {
    reports: () =>
      roster.map(({ node, wanted }) => {
        const state = states.get(node.name);
        const isThere = state === (wanted === "running" ? "running" : "stopped");
        return { name: node.name, wanted, state: isThere ? state : "changing" };
      }),
    follow: (callback) => {
      callback(roster);
      followers.add(callback);
      return () => followers.delete(callback);
    },
    change: (change) => {
      try {
        const changed = changeRoster(roster, change, config);
        if (change.action === "add") options.onAdd(changed.roster.map(({ node }) => node));
        save(changed.roster);
        const { name } = changed.entry.node;
        // Stopped already: no agent has anything left to say.
        if (change.action === "delete" && states.get(name) === "stopped") forget(name);
        return { name };
      } catch (error) {
        if (!(error instanceof NodeRosterError)) log.error("cannot change the nodes", { action: change.action, error });
        return { error: (error as Error).message };
      }
    },
    noteState: (name, state) => {
      states.set(name, state);
      if (state === "stopped" && roster.some(({ node, wanted }) => node.name === name && wanted === "deleted"))
        forget(name);
    },
  };
}
