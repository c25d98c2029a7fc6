/** The other side of the holder's control socket: the host's commands, the server and the agents. */
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { ClusterProgress, ControlRequest, HolderStatus } from "./protocol.ts";

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
  const socket = await open(path, request);
  for await (const line of createInterface({ input: socket })) return JSON.parse(line) as HolderStatus;
  throw new ControlError(`The cluster's holder at "${path}" closed the connection without an answer`);
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
