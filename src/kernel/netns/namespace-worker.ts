import type { Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { adoptConnectingSocket, type SocketAddress, SocketError } from "./sockets.ts";
import type { SocketReply, SocketRequest } from "./worker-messages.ts";

interface NamespaceTarget extends SocketAddress {
  /** The file that a namespace is bound to. */
  readonly netnsPath: string;
}

/**
 * Makes sockets in network namespaces for a process whose main thread stays in the host's: a thread of its own enters
 * them. The thread starts with the first request; it keeps the process alive only while a request is open.
 *
 * From source the thread runs `namespace-sockets.worker.ts` beside this file. A bundle is one file, so its build makes
 * `namespace-sockets.worker.js` a second entry beside it (the bundle itself must not be the thread's entry: it would
 * start the whole program again).
 */
export class NamespaceWorker {
  readonly #open = new Map<number, { resolve: (fd: number) => void; reject: (error: Error) => void }>();
  #worker: Worker | undefined;
  #lastId = 0;
  #isClosed = false;

  /** Resolves with a bound descriptor for `server.listen({ fd })`, which the caller owns. Rejects with `SocketError`. */
  bindTcp(target: NamespaceTarget): Promise<number> {
    return this.#request("bindTcp", target);
  }

  /** Resolves with a bound descriptor for dgram's `socket.bind({ fd })`, which the caller owns. */
  bindUdp(target: NamespaceTarget): Promise<number> {
    return this.#request("bindUdp", target);
  }

  /** Resolves with a connected stream; rejects with the connection's error ("ECONNREFUSED") or the signal's reason. */
  async connectTcp(target: NamespaceTarget, signal?: AbortSignal): Promise<Socket> {
    signal?.throwIfAborted();
    return adoptConnectingSocket(await this.#request("connectTcp", target), signal);
  }

  /** Ends the thread; open requests are rejected. Sockets it made live on. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#worker?.terminate();
  }

  #request(call: SocketRequest["call"], target: NamespaceTarget): Promise<number> {
    const { netnsPath, address, port } = target;
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        reject(new SocketError(`Cannot reach ${address}:${port}: the namespace worker was closed`, "ECANCELED"));
        return;
      }
      const id = (this.#lastId += 1);
      this.#open.set(id, { resolve, reject });
      this.#worker ??= this.#start();
      this.#worker.ref();
      this.#worker.postMessage({ id, call, netnsPath, address, port } satisfies SocketRequest);
    });
  }

  #start(): Worker {
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const worker = new Worker(new URL(`./namespace-sockets.worker.${extension}`, import.meta.url), {
      name: "namespace-sockets",
    });
    worker.on("message", (reply: SocketReply) => this.#settle(worker, reply));
    worker.on("error", (error) => this.#fail(worker, error));
    worker.on("exit", () => this.#fail(worker, new SocketError("The namespace worker ended", "ECANCELED")));
    return worker;
  }

  #settle(worker: Worker, reply: SocketReply): void {
    const waiting = this.#open.get(reply.id);
    this.#open.delete(reply.id);
    if (this.#open.size === 0) worker.unref();
    if ("fd" in reply) waiting?.resolve(reply.fd);
    else waiting?.reject(new SocketError(reply.error.message, reply.error.code));
  }

  #fail(worker: Worker, error: Error): void {
    // The next request starts a new thread.
    if (this.#worker === worker) this.#worker = undefined;
    const waiting = [...this.#open.values()];
    this.#open.clear();
    for (const { reject } of waiting) reject(error);
  }
}
