/** HTTPS listeners: HTTP/2 and HTTP/1.1 on the same port, client certificates asked for but not required. */
import { createSecureServer } from "node:http2";
import type { Http2SecureServer, ServerHttp2Session } from "node:http2";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { CertificateAndKey } from "../../../machinery/pki/index.ts";
import type { HttpRequest, HttpResponse } from "./exchange.ts";

/** Where to listen: an address of this process' namespace, or a socket that is bound elsewhere meanwhile. */
export type Listener = { readonly host: string; readonly port: number } | { readonly fd: Promise<number> };

export interface TlsServerOptions {
  readonly listeners: readonly Listener[];
  readonly identity: CertificateAndKey;
  /** Signs the client certificates we believe. */
  readonly clientCa: string;
  readonly onRequest: (request: HttpRequest, response: HttpResponse) => void;
  /** HTTP/1.1 only. */
  readonly onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

export interface TlsServer {
  /** The port of the first listener that has a host. */
  readonly port: number;
  /** Cuts all connections. */
  close(): Promise<void>;
}

/** Resolves when every listener accepts connections. Rejects with the system's error (`EADDRINUSE`). */
export async function listen(options: TlsServerOptions): Promise<TlsServer> {
  const open = new Set<{ destroy(): void }>();
  const servers = options.listeners.map(() => create(options, open));
  const close = async (): Promise<void> => {
    for (const connection of open) connection.destroy();
    await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  };
  try {
    await Promise.all(
      servers.map(async (server, index) => {
        const listener = options.listeners[index];
        const place = listener !== undefined && "fd" in listener ? { fd: await listener.fd } : listener;
        await new Promise<void>((resolve, reject) => {
          server.once("error", reject);
          server.listen(place, () => resolve());
        });
      }),
    );
  } catch (error) {
    await close();
    throw error;
  }
  const first = servers[options.listeners.findIndex((listener) => "host" in listener)];
  const address = first?.address();
  return { port: typeof address === "object" && address !== null ? address.port : 0, close };
}

/** Go's limit: long selectors make long URLs. */
const headersLimitBytes = 1024 * 1024;
/** For clients of HTTP/1.1. */
const http1Limits = { maxHeaderSize: headersLimitBytes };

function create(options: TlsServerOptions, open: Set<{ destroy(): void }>): Http2SecureServer {
  const server = createSecureServer({
    allowHTTP1: true,
    cert: options.identity.certificate,
    key: options.identity.key,
    ca: options.clientCa,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: "TLSv1.2",
    // Megabytes of one connection's answers under way: beyond it Node refuses new streams, and lists are large.
    maxSessionMemory: 256,
    settings: { maxConcurrentStreams: 1000, initialWindowSize: 1024 * 1024, maxHeaderListSize: headersLimitBytes },
    ...http1Limits,
  });
  const track = (connection: { destroy(): void; once(event: "close", listener: () => void): unknown }): void => {
    open.add(connection);
    connection.once("close", () => open.delete(connection));
  };
  server.on("secureConnection", track);
  server.on("session", (session: ServerHttp2Session) => {
    track(session);
    // A client that breaks off is no news.
    session.on("error", () => undefined);
  });
  server.on("sessionError", () => undefined);
  server.on("tlsClientError", () => undefined);
  server.on("request", options.onRequest as never);
  server.on("upgrade", options.onUpgrade as never);
  server.setTimeout(0);
  return server;
}
