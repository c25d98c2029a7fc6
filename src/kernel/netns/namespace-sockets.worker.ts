/**
 * The thread behind `NamespaceWorker`: moves to the namespace of each request and answers with a descriptor. It never
 * returns home and runs nothing in libuv's thread pool. An entry of its own: see namespace-worker.ts.
 */
import { parentPort } from "node:worker_threads";
import { bindTcpSocket, bindUdpSocket, connectTcpSocket } from "./sockets.ts";
import { enterNamespace } from "./thread.ts";
import type { SocketReply, SocketRequest } from "./worker-messages.ts";

const makers = { bindTcp: bindTcpSocket, bindUdp: bindUdpSocket, connectTcp: connectTcpSocket } as const;

function answer(request: SocketRequest): SocketReply {
  try {
    enterNamespace(request.netnsPath);
    return { id: request.id, fd: makers[request.call](request) };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "UNKNOWN";
    const message = error instanceof Error ? error.message : String(error);
    return { id: request.id, error: { message: `${message} (in network namespace ${request.netnsPath})`, code } };
  }
}

parentPort?.on("message", (request: SocketRequest) => parentPort?.postMessage(answer(request)));
