/**
 * What is said over the holder's Unix socket: a line of JSON each way. The host's commands ask; server and agents
 * report how far they are.
 */

/** A milestone of the start; `step` once each, in the order in which they happened. */
export interface ClusterProgress {
  readonly step: "namespaces" | "network" | "api-server" | "nodes-ready" | "dns-ready" | "failed";
  /** For a person: "3 nodes", or the error's message. */
  readonly detail?: string;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

export interface ComponentReport {
  readonly name: string;
  /** In the cluster's PID namespace. */
  readonly pid: number | undefined;
  readonly restarts: number;
  readonly startedAtMs: number | undefined;
}

export interface HolderStatus {
  readonly components: readonly ComponentReport[];
  readonly progress: readonly ClusterProgress[];
}

export type ControlRequest =
  | { readonly operation: "status" }
  /** Answered with every milestone so far and then each as it comes. */
  | { readonly operation: "follow" }
  | { readonly operation: "report"; readonly progress: ClusterProgress };

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
      return { operation: value.operation };
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
