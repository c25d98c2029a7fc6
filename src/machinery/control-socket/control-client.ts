/** The other side of the holder's control socket: the host's commands, the server and the agents. */
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { NodeChange, NodeRoster } from "../../model/node-roster/index.ts";
import type {
  ClusterProgress,
  ContainerOutput,
  ControlAnswer,
  ControlRequest,
  HolderStatus,
  OutputMessage,
} from "./protocol.ts";

export class ControlError extends Error {
  readonly code = "HolderUnreachable";
}

async function open(path: string, request: ControlRequest, signal?: AbortSignal): Promise<Socket> {
  return await new Promise((resolve, reject) => {
    const socket = connect({ path, ...(signal === undefined ? {} : { signal }) });
    socket.once("error", (error) =>
      reject(new ControlError(`Cannot reach the cluster's holder at "${path}": ${error.message}`, { cause: error })),
    );
    socket.once("connect", () => {
      socket.removeAllListeners("error");
      socket.on("error", () => socket.destroy());
      socket.write(`${JSON.stringify(request)}\n`);
      resolve(socket);
    });
  });
}

/** Rejects with `ControlError` where no holder listens. */
export async function callControl(path: string, request: { readonly operation: "status" }): Promise<HolderStatus> {
  return (await ask(path, request)) as HolderStatus;
}

/** Asks for a change of the nodes. It has been taken note of when this resolves; `status` tells when it has happened. */
export async function changeNode(path: string, change: NodeChange): Promise<ControlAnswer> {
  return (await ask(path, { operation: "node", change })) as ControlAnswer;
}

export async function reportNodeState(path: string, name: string, state: "running" | "stopped"): Promise<void> {
  await ask(path, { operation: "node-state", name, state });
}

async function ask(path: string, request: ControlRequest): Promise<unknown> {
  const socket = await open(path, request);
  try {
    for await (const line of createInterface({ input: socket })) return JSON.parse(line);
  } finally {
    socket.destroy();
  }
  throw new ControlError(`The cluster's holder at "${path}" closed the connection without an answer`);
}

/** The cluster's nodes, the present ones first and then each change, until the holder or `signal` ends. */
export async function* followRoster(path: string, signal: AbortSignal): AsyncGenerator<NodeRoster> {
  const socket = await open(path, { operation: "roster" }, signal);
  try {
    for await (const line of createInterface({ input: socket })) yield JSON.parse(line) as NodeRoster;
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    socket.destroy();
  }
}

/** Milestones, past ones first, until the holder or `signal` ends. */
export async function* followProgress(path: string, signal: AbortSignal): AsyncGenerator<ClusterProgress> {
  const socket = await open(path, { operation: "follow" }, signal);
  try {
    for await (const line of createInterface({ input: socket })) yield JSON.parse(line) as ClusterProgress;
  } finally {
    socket.destroy();
  }
}

/** Tells the holder of a milestone. */
export async function reportProgress(path: string, progress: ClusterProgress): Promise<void> {
  const socket = await open(path, { operation: "report", progress });
  for await (const _ of createInterface({ input: socket })) break;
  socket.destroy();
}

/** Has containers' output held open by a process that outlives this one. */
export interface OutputKeeper {
  /** Harmless when repeated. Does not wait: it is so a moment later. */
  hold(output: ContainerOutput): void;
  /** Harmless for one that is not held. */
  release(id: string): void;
}

/** Rejects with `ControlError` where no holder listens. What is held stays so when `signal` or this process ends. */
export async function openOutputKeeper(path: string, signal: AbortSignal): Promise<OutputKeeper> {
  const socket = await open(path, { operation: "outputs" }, signal);
  // It must not keep a process that has nothing else to do.
  socket.unref();
  const say = (message: OutputMessage): void => {
    if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
  };
  return { hold: (output) => say({ hold: output }), release: (id) => say({ release: id }) };
}
