/**
 * What is said over the holder's Unix socket: a line of JSON each way. The host's commands ask; server and agents
 * report how far they are.
 */

import type { NodeChange } from "../../model/node-roster/index.ts";

/** A milestone of the start; `step` once each, in the order in which they happened. */
export interface ClusterProgress {
  readonly step: "namespaces" | "network" | "api-server" | "nodes-ready" | "dns-ready" | "failed";
  /** For a person: "3 nodes", or the error's message. */
  readonly detail?: string;
  /** Of "failed": the process that cannot go on. */
  readonly process?: string;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

export interface ComponentReport {
  readonly name: string;
  /** In the cluster's PID namespace. */
  readonly pid: number | undefined;
  readonly restarts: number;
  readonly startedAtMs: number | undefined;
  /** Why it ended, or is about to, in its own words; absent where it has run well for a while. */
  readonly failure?: string | undefined;
}

/** A node as its agent sees it. */
export interface NodeReport {
  readonly name: string;
  readonly wanted: "running" | "stopped" | "deleted";
  /** "changing" until the agent says that what is wanted is so. */
  readonly state: "running" | "stopped" | "changing";
}

/** What a request that changes something comes to: with `error`, nothing. */
export interface ControlAnswer {
  /** The node's name, where one was added. */
  readonly name?: string;
  readonly error?: string;
}

/** The pipes a container writes to. */
export interface ContainerOutput {
  /** The container's. */
  readonly id: string;
  /** Processes that have them open, in the cluster's PID namespace: its monitor, and its first. */
  readonly pids: readonly number[];
  /** Inode numbers. */
  readonly pipes: readonly number[];
}

/** A line after the request "outputs". */
export type OutputMessage = { readonly hold: ContainerOutput } | { readonly release: string };

export interface HolderStatus {
  readonly components: readonly ComponentReport[];
  readonly nodes: readonly NodeReport[];
  readonly progress: readonly ClusterProgress[];
}

export type ControlRequest =
  | { readonly operation: "status" }
  /** Answered with every milestone so far and then each as it comes. */
  | { readonly operation: "follow" }
  | { readonly operation: "report"; readonly progress: ClusterProgress }
  /** Answered with the roster and then with each new one. */
  | { readonly operation: "roster" }
  /** Not answered; each further line is an `OutputMessage`. What is held stays so when the connection ends. */
  | { readonly operation: "outputs" }
  | { readonly operation: "node"; readonly change: NodeChange }
  /** An agent says that a node has come to run, or has ended. */
  | { readonly operation: "node-state"; readonly name: string; readonly state: "running" | "stopped" };

/** Undefined where the line is not a request: the socket is only its owner's, but a stranger's line must not end the holder. */
export function parseRequest(line: string): ControlRequest | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || !("operation" in value)) return undefined;
  switch (value.operation) {
    case "status":
    case "follow":
    case "roster":
    case "outputs":
      return { operation: value.operation };
    case "node": {
      const change = "change" in value ? parseChange(value.change) : undefined;
      return change === undefined ? undefined : { operation: "node", change };
    }
    case "node-state": {
      const { name, state } = value as { readonly name?: unknown; readonly state?: unknown };
      if (typeof name !== "string" || (state !== "running" && state !== "stopped")) return undefined;
      return { operation: "node-state", name, state };
    }
    case "report":
      return "progress" in value &&
        typeof value.progress === "object" &&
        value.progress !== null &&
        "step" in value.progress
        ? { operation: "report", progress: value.progress as ClusterProgress }
        : undefined;
    default:
      return undefined;
  }
}

/** Undefined where the line is none. */
export function parseOutputMessage(line: string): OutputMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { hold, release } = value as { readonly hold?: unknown; readonly release?: unknown };
  if (typeof release === "string") return { release };
  if (typeof hold !== "object" || hold === null) return undefined;
  const { id, pids, pipes } = hold as Record<keyof ContainerOutput, unknown>;
  if (typeof id !== "string" || !areNumbers(pids) || !areNumbers(pipes)) return undefined;
  return { hold: { id, pids, pipes } };
}

function areNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => Number.isInteger(item));
}

const actions: readonly string[] = ["stop", "start", "add", "delete"] satisfies readonly NodeChange["action"][];

function parseChange(value: unknown): NodeChange | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { action, name, isPowerCut } = value as Record<keyof NodeChange, unknown>;
  if (typeof action !== "string" || !actions.includes(action)) return undefined;
  if (name !== undefined && typeof name !== "string") return undefined;
  return {
    action: action as NodeChange["action"],
    ...(name === undefined ? {} : { name }),
    isPowerCut: isPowerCut === true,
  };
}
