/** Which nodes a cluster has and whether they are meant to run; it changes while the cluster lives, unlike its configuration. */
import type { ClusterConfig, NodeConfig } from "../cluster-config.ts";
import { mostNodes, nodeAt } from "../cluster-plan/index.ts";

export interface RosterEntry {
  readonly node: NodeConfig;
  /** The agent process that carries it: 1, 2, … */
  readonly agent: number;
  /** "deleted": it is stopped, and forgotten when it has ended. */
  readonly wanted: "running" | "stopped" | "deleted";
  /** How it ends: told to the API first, or as if its power were cut. */
  readonly end: "shutdown" | "power-cut";
}

export type NodeRoster = readonly RosterEntry[];

/** What a user asks for. `isPowerCut` counts for "stop" only. */
export interface NodeChange {
  readonly action: "stop" | "start" | "add" | "delete";
  /** Absent: "add" chooses the next free one. */
  readonly name?: string;
  readonly isPowerCut?: boolean;
}

export class NodeRosterError extends Error {
  readonly code = "NodeChangeRefused";
}

/** Nodes dealt out in turn, so that every agent has about as many. */
export function initialRoster(nodes: readonly NodeConfig[], agents: number): NodeRoster {
  const count = Math.max(1, Math.min(agents, nodes.length));
  return nodes.map((node, index) => ({ node, agent: (index % count) + 1, wanted: "running", end: "shutdown" }));
}

/** Pure. Throws `NodeRosterError` with the remedy where the change is impossible; one that changes nothing is fine. */
export function changeRoster(
  roster: NodeRoster,
  change: NodeChange,
  config: Pick<ClusterConfig, "nodeCidrs" | "podCidrs" | "loopbackIndex">,
): { readonly roster: NodeRoster; readonly entry: RosterEntry } {
  if (change.action === "add") {
    const entry = addition(roster, change.name, config);
    return { roster: [...roster, entry], entry };
  }
  const present = roster.find(({ node }) => node.name === change.name);
  if (present === undefined || present.wanted === "deleted") {
    const known = roster.map(({ node }) => node.name).join(", ");
    throw new NodeRosterError(
      `Cannot ${change.action} the node "${change.name ?? ""}": there is none; choose one of ${known}`,
    );
  }
  if (change.action === "delete" && present === roster[0]) {
    throw new NodeRosterError(
      `Cannot delete the node "${present.node.name}": the control plane is shown on it; stop it, or end the cluster with "netloom down"`,
    );
  }
  const wanted = { stop: "stopped", start: "running", delete: "deleted" } as const;
  const entry: RosterEntry = {
    ...present,
    wanted: wanted[change.action],
    end: change.isPowerCut === true ? "power-cut" : "shutdown",
  };
  return { roster: roster.map((one) => (one === present ? entry : one)), entry };
}

function addition(
  roster: NodeRoster,
  name: string | undefined,
  config: Pick<ClusterConfig, "nodeCidrs" | "podCidrs" | "loopbackIndex">,
): RosterEntry {
  const taken = new Set(roster.map(({ node }) => node.addresses[0]));
  const names = new Set(roster.map(({ node }) => node.name));
  if (name !== undefined && names.has(name)) {
    throw new NodeRosterError(`Cannot add the node "${name}": it is there already; choose another name`);
  }
  // Names of network namespaces beside those of nodes.
  const isReserved = name === "lan" || name === "outside" || name?.startsWith("pod-") === true;
  if (name !== undefined && (isReserved || !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name))) {
    throw new NodeRosterError(
      `Cannot add the node "${name}": use lower-case letters, digits and dashes, at most 63, and neither "lan", "outside" nor "pod-…"`,
    );
  }
  for (let index = 0; index < mostNodes; index += 1) {
    const node = nodeAt(index, config);
    if (node === undefined) break;
    if (taken.has(node.addresses[0]) || names.has(name ?? node.name)) continue;
    const agents = roster.map(({ agent }) => agent);
    const load = (agent: number): number => agents.filter((one) => one === agent).length;
    const agent = [...new Set(agents)].toSorted((a, b) => load(a) - load(b) || a - b)[0] ?? 1;
    return { node: { ...node, name: name ?? node.name }, agent, wanted: "running", end: "shutdown" };
  }
  throw new NodeRosterError(
    `Cannot add a node: the ranges ${config.nodeCidrs.join(",")} and ${config.podCidrs.join(",")} have room for ${roster.length}; delete one first`,
  );
}
