/** The holder's side of the control socket. */
import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { once } from "node:events";
import type { NodeChange, NodeRoster } from "../../model/node-roster/index.ts";
import {
  type ClusterProgress,
  type ControlAnswer,
  type HolderStatus,
  type OutputMessage,
  parseOutputMessage,
  parseRequest,
} from "./protocol.ts";

export interface ControlHandlers {
  status(): HolderStatus;
  /** Called for each milestone that a component reports. */
  report(progress: ClusterProgress): void;
  /** Calls back for each milestone, past ones first; returns how to stop. */
  follow(callback: (progress: ClusterProgress) => void): () => void;
  /** Calls back with the roster, the present one first; returns how to stop. */
  followRoster(callback: (roster: NodeRoster) => void): () => void;
  changeNode(change: NodeChange): ControlAnswer;
  nodeState(name: string, state: "running" | "stopped"): void;
  output(message: OutputMessage): void;
}

/** Longest request line: anything longer is not one of ours. */
const lineLimitBytes = 64 * 1024;

/** Listens until the returned server is closed. The socket is its owner's alone. */
export async function serveControl(path: string, handlers: ControlHandlers): Promise<Server> {
  rmSync(path, { force: true });
  const server = createServer((socket) => answer(socket, handlers));
  server.listen(path);
  await once(server, "listening");
  chmodSync(path, 0o600);
  return server;
}

function answer(socket: Socket, handlers: ControlHandlers): void {
  let received = 0;
  // A client that went away is no error of the holder's.
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    received += chunk.length;
    if (received > lineLimitBytes) socket.destroy();
  });
  const lines = createInterface({ input: socket });
  lines.on("error", () => socket.destroy());
  lines.on("line", () => (received = 0));
  lines.once("line", (line) => {
    const request = parseRequest(line);
    switch (request?.operation) {
      case "status":
        socket.end(`${JSON.stringify(handlers.status())}\n`);
        return;
      case "report":
        handlers.report(request.progress);
        socket.end("{}\n");
        return;
      case "follow": {
        const stop = handlers.follow((progress) => void socket.write(`${JSON.stringify(progress)}\n`));
        socket.once("close", stop);
        return;
      }
      case "roster": {
        const stop = handlers.followRoster((roster) => void socket.write(`${JSON.stringify(roster)}\n`));
        socket.once("close", stop);
        return;
      }
      case "outputs":
        lines.on("line", (next) => {
          const message = parseOutputMessage(next);
          if (message === undefined) socket.destroy();
          else handlers.output(message);
        });
        return;
      case "node":
        socket.end(`${JSON.stringify(handlers.changeNode(request.change))}\n`);
        return;
      case "node-state":
        handlers.nodeState(request.name, request.state);
        socket.end("{}\n");
        return;
      case undefined:
        socket.end(`${JSON.stringify({ error: "not a request" })}\n`);
    }
  });
}
