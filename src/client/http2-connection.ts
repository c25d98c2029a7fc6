/** One HTTP/2 connection to an API server, opened when needed and opened anew when it broke. */
import { connect, constants } from "node:http2";
import type { ClientHttp2Session, IncomingHttpHeaders } from "node:http2";
import type { Kubeconfig } from "../machinery/kubeconfig/index.ts";
import { ConnectionError } from "./connection-error.ts";
import { readBody, type ResponseBody } from "./response-body.ts";

export interface Request {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface Response {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  /** Cancelled by whoever stops reading early. */
  readonly body: ResponseBody;
}

export interface Http2Connection {
  /** Resolves when the headers are there. Rejects with `ConnectionError`, or with the signal's reason. */
  request(request: Request): Promise<Response>;
  /** Cuts what is under way. Later requests reject. */
  close(): void;
}

const connectTimeoutMs = 10_000;

/**
 * @param options.pingAfterMs - A server that says nothing for this long is asked, and given up when it does not answer
 * for as long again.
 */
export function createHttp2Connection(
  kubeconfig: Kubeconfig,
  { pingAfterMs = 30_000 }: { readonly pingAfterMs?: number } = {},
): Http2Connection {
  let session: ClientHttp2Session | undefined;
  let isClosed = false;

  const open = (): ClientHttp2Session => {
    if (isClosed) throw new ConnectionError(`Cannot reach ${kubeconfig.server}: the client was closed`);
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    const opened = connect(kubeconfig.server, {
      ...(kubeconfig.ca === undefined ? {} : { ca: kubeconfig.ca }),
      ...(kubeconfig.certificate === undefined ? {} : { cert: kubeconfig.certificate }),
      ...(kubeconfig.key === undefined ? {} : { key: kubeconfig.key }),
      ...(kubeconfig.serverName === undefined ? {} : { servername: kubeconfig.serverName }),
      rejectUnauthorized: !kubeconfig.skipsVerification,
      // Megabytes under way: lists are large, and beyond it Node refuses new streams.
      maxSessionMemory: 256,
      settings: { initialWindowSize: 1024 * 1024 },
    });
    const forget = (): void => {
      if (session === opened) session = undefined;
    };
    // Each request hears of it by its own stream.
    opened.on("error", forget);
    opened.on("close", forget);
    opened.on("goaway", forget);
    watchOver(opened, pingAfterMs);
    session = opened;
    return opened;
  };

  return {
    request: (request) =>
      new Promise((resolve, reject) => {
        request.signal?.throwIfAborted();
        const stream = open().request(headersOf(kubeconfig, request), { endStream: request.body === undefined });
        const body = readBody(stream);
        const abort = (): void => stream.close(constants.NGHTTP2_CANCEL);
        request.signal?.addEventListener("abort", abort, { once: true });
        let isAnswered = false;
        let failure: Error | undefined;
        stream.on("error", (error) => {
          failure = error;
        });
        stream.once("response", (headers) => {
          isAnswered = true;
          resolve({ code: headers[":status"] ?? 0, headers, body });
        });
        stream.once("close", () => {
          request.signal?.removeEventListener("abort", abort);
          if (isAnswered) return;
          if (request.signal?.aborted === true) reject(request.signal.reason as Error);
          else reject(unreachable(kubeconfig.server, failure));
        });
        if (request.body !== undefined) stream.end(request.body);
      }),
    close: () => {
      isClosed = true;
      session?.destroy();
    },
  };
}

export function unreachable(server: string, cause: Error | undefined): ConnectionError {
  const why = cause === undefined ? "the connection was closed" : describe(cause);
  return new ConnectionError(`Cannot reach ${server}: ${why}`, cause === undefined ? {} : { cause });
}

/** A refused connection to several addresses is an AggregateError without a message of its own. */
function describe(error: Error & { readonly code?: string }): string {
  return error.message === "" ? (error.code ?? error.name) : error.message;
}

/** Quiet connections are tried with a ping: a peer that vanished without a word would leave watches waiting for ever. */
function watchOver(session: ClientHttp2Session, pingAfterMs: number): void {
  let isWaiting = false;
  session.setTimeout(connectTimeoutMs);
  session.once("connect", () => session.setTimeout(pingAfterMs));
  // A listener given to setTimeout() hears of the first silence only.
  session.on("timeout", () => {
    // The timer may fire once more after the end, and a ping would then throw.
    if (session.destroyed) return;
    if (session.connecting || isWaiting) {
      const silentMs = session.connecting ? connectTimeoutMs : 2 * pingAfterMs;
      session.destroy(new Error(`the server did not answer for ${silentMs / 1000} s`));
      return;
    }
    isWaiting = session.ping((error) => {
      isWaiting = false;
      if (error !== null) session.destroy(error);
    });
    session.setTimeout(pingAfterMs);
  });
}

function headersOf(kubeconfig: Kubeconfig, request: Request): Record<string, string> {
  return {
    ":method": request.method,
    ":path": request.path,
    accept: request.accept ?? "application/json",
    "user-agent": "netloom",
    ...(request.contentType === undefined ? {} : { "content-type": request.contentType }),
    ...(kubeconfig.token === undefined ? {} : { authorization: `Bearer ${kubeconfig.token}` }),
  };
}
