/** The kubelet's API: HTTPS on the node's address, for whom the API server lets in. */
import { createServer } from "node:https";
import { STATUS_CODES } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { StreamsMissingError } from "../../../lib/remote-command/index.ts";
import type { Logger } from "../../../machinery/log.ts";
import type { MetricsRegistry } from "../../../machinery/metrics/index.ts";
import type { KubeletOptions, KubeletServing } from "../options.ts";
import type { PodWorkers } from "../pods/pod-workers.ts";
import type { Access } from "./access.ts";
import { findPod, findRunning } from "./find.ts";
import { HttpError } from "./http-error.ts";
import { serveExecOrAttach, servePortForwardRequest } from "./serve-streams.ts";
import { serveLogs, serveMirrorLogs } from "./serve-logs.ts";
import { isNodeLogs, serveNodeLogs } from "./serve-node-logs.ts";

/** How long a client may take to open its streams, as upstream. */
const patienceMs = 30_000;

export interface KubeletServerOptions {
  readonly options: KubeletOptions;
  readonly serving: KubeletServing;
  readonly workers: PodWorkers;
  readonly metrics: MetricsRegistry;
  readonly access: Access;
  readonly log: Logger;
  /** A bound socket, not listening yet; owned from here on. */
  readonly fd: number;
}

/** Serves until `signal` aborts; open streams are then cut. `onListening` is called once requests are answered. */
export async function runKubeletServer(
  given: KubeletServerOptions,
  signal: AbortSignal,
  onListening: () => void,
): Promise<void> {
  const { serving, fd, log } = given;
  const sockets = new Set<Duplex>();
  const server = createServer(
    {
      cert: serving.certificate,
      key: serving.key,
      ca: serving.clientCa,
      requestCert: true,
      // Answered with 401 rather than a broken handshake.
      rejectUnauthorized: false,
      // Streams of a terminal are many small writes.
      noDelay: true,
    },
    (request, response) => {
      void answer(given, request, response, signal).catch((error: unknown) => refuse(response, error, log));
    },
  );
  server.on("secureConnection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => socket.destroy());
    void upgrade(given, {
      request,
      socket,
      head,
      patience: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]),
    }).catch((error: unknown) => {
      // The answer was 101 already; a client that then opens no streams has gone or is broken.
      if (error instanceof StreamsMissingError) log.debug("a client opened no streams", { error });
      else refuseUpgrade(socket, error, log);
    });
  });
  const closed = Promise.withResolvers<void>();
  server.on("close", () => closed.resolve());
  server.on("error", closed.reject);
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  signal.addEventListener("abort", close, { once: true });
  server.listen({ fd }, onListening);
  if (signal.aborted) close();
  await closed.promise;
}

interface Route {
  readonly verb: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly query: URLSearchParams;
}

/** `/exec/{namespace}/{pod}[/{uid}]/{container}` and the like. */
function routeOf(request: IncomingMessage): Route {
  const url = new URL(request.url ?? "/", "https://kubelet");
  const [verb = "", namespace = "", pod = "", ...rest] = url.pathname.slice(1).split("/").map(decodeURIComponent);
  return { verb, namespace, pod, container: rest.at(-1) ?? "", query: url.searchParams };
}

async function answer(
  { options, workers, metrics, access }: KubeletServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  await access.check(request);
  if (isNodeLogs(request)) {
    await serveNodeLogs(request, response, options);
    return;
  }
  const route = routeOf(request);
  switch (route.verb) {
    case "healthz":
      response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8" }).end("ok");
      return;
    case "metrics":
      response.writeHead(200, { "Content-Type": metrics.contentType }).end(await metrics.metrics());
      return;
    case "pods":
    case "runningpods": {
      const all = workers.list();
      const shown = route.verb === "pods" ? all : all.filter((worker) => worker.hasRunning);
      const items = shown.map((worker) => worker.describe());
      response.writeHead(200, { "Content-Type": "application/json" });
      response.end(JSON.stringify({ kind: "PodList", apiVersion: "v1", metadata: {}, items }));
      return;
    }
    case "containerLogs": {
      const { nodeRoot, clock } = options;
      const logFile = mirrorLogFile(options, route);
      if (logFile !== undefined) {
        await serveMirrorLogs(response, { logFile, query: route.query, nowMs: clock.now(), signal });
        return;
      }
      const worker = findPod(workers, route.namespace, route.pod);
      await serveLogs(response, {
        worker,
        container: route.container,
        query: route.query,
        nodeRoot,
        nowMs: clock.now(),
        signal,
      });
      return;
    }
    case "exec":
    case "attach":
    case "portForward":
      throw new HttpError(400, "unable to upgrade: missing upgrade headers in request");
    default:
      throw new HttpError(404, "404 page not found");
  }
}

function mirrorLogFile({ mirrorPods = [] }: KubeletOptions, { namespace, pod }: Route): string | undefined {
  return mirrorPods.find(({ pod: { metadata } }) => metadata?.namespace === namespace && metadata.name === pod)
    ?.logFile;
}

async function upgrade(
  { options, workers, access }: KubeletServerOptions,
  given: Parameters<typeof serveExecOrAttach>[0],
): Promise<void> {
  await access.check(given.request);
  const { verb, namespace, pod, container, query } = routeOf(given.request);
  const worker = findPod(workers, namespace, pod);
  const flag = (...names: readonly string[]): boolean =>
    names.some((name) => ["true", "1"].includes(query.get(name) ?? ""));
  const streams = {
    stdin: flag("input", "stdin"),
    stdout: flag("output", "stdout"),
    stderr: flag("error", "stderr"),
    tty: flag("tty"),
  };
  switch (verb) {
    case "exec": {
      const id = findRunning(worker, container);
      const command = query.getAll("command");
      if (command.length === 0) throw new HttpError(400, "you must specify at least 1 command");
      const { stdin: hasStdin, tty: hasTerminal } = streams;
      await serveExecOrAttach(given, streams, () => options.runtime.exec(id, { command, hasTerminal, hasStdin }));
      return;
    }
    case "attach": {
      const id = findRunning(worker, container);
      const spec = worker.container(container);
      if (streams.tty && spec?.tty !== true) {
        throw new HttpError(400, `Unable to use a TTY - container ${container} did not allocate one`);
      }
      await serveExecOrAttach(given, { ...streams, tty: spec?.tty ?? false }, () => options.runtime.attach(id));
      return;
    }
    case "portForward":
      await servePortForwardRequest(given, {
        ports: query.getAll("ports").flatMap((text) => text.split(",").map(Number)),
        dial: (port) => dialPod(options, worker, port),
      });
      return;
    default:
      throw new HttpError(404, "404 page not found");
  }
}

/** On the pod's own loopback, in whichever family answers: what listens there need not listen on the pod's address. */
async function dialPod(
  { sockets }: KubeletOptions,
  worker: {
    readonly netnsPath: string | undefined;
    readonly pod: { readonly metadata?: { readonly name?: string; readonly uid?: string } };
  },
  port: number,
): Promise<Duplex> {
  const { name, uid } = worker.pod.metadata ?? {};
  const { netnsPath } = worker;
  const failure = (reason: string): Error =>
    new Error(`error forwarding port ${port} to pod ${name}, uid ${uid}: ${reason}`);
  if (netnsPath === undefined) throw failure("the pod has no network namespace");
  try {
    return await sockets.dial({ netnsPath, address: "127.0.0.1", port });
  } catch {
    // Tried next over IPv6; its failure is the one told.
  }
  try {
    return await sockets.dial({ netnsPath, address: "::1", port });
  } catch {
    throw failure(`failed to connect to localhost:${port} inside namespace: connect: connection refused`);
  }
}

const reasons: Readonly<Record<number, string>> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "MethodNotAllowed",
  422: "Invalid",
  500: "InternalError",
};

function refuse(response: ServerResponse, error: unknown, log: Logger): void {
  const { code, message } = asHttpError(error, log);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // A Status, not upstream's plain text: the API server hands it on as it is, and kubectl shows its message.
  const status = {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason: reasons[code],
    code,
  };
  response.writeHead(code, { "Content-Type": "application/json" }).end(JSON.stringify(status));
}

function refuseUpgrade(socket: Duplex, error: unknown, log: Logger): void {
  const { code, message } = asHttpError(error, log);
  if (socket.destroyed || socket.writableEnded) return;
  const body = Buffer.from(`${message}\n`);
  const lines = [
    `HTTP/1.1 ${code} ${STATUS_CODES[code] ?? "Error"}`,
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${body.length}`,
    "Connection: close",
  ];
  socket.end(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), body]));
}

function asHttpError(error: unknown, log: Logger): { readonly code: number; readonly message: string } {
  if (error instanceof HttpError) return error;
  log.warn("cannot answer a request", { error });
  return { code: 500, message: error instanceof Error ? error.message : String(error) };
}
