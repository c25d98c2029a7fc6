/** `health`, `ready` and `prometheus`: what probes and scrapers ask over HTTP. */
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { HostAndPort, ServerConfig } from "./corefile/index.ts";

export interface HttpEndpointsOptions {
  readonly servers: readonly ServerConfig[];
  /** Names of plugins that are not ready yet; empty: ready. */
  readonly waitingFor: () => readonly string[];
  readonly metricsText: () => string;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** By address, the paths it answers. */
type Endpoints = ReadonlyMap<string, { readonly at: HostAndPort; readonly paths: Map<string, () => Answer> }>;

/** Binds what the configuration asks for. Returns what closes it again. */
export async function serveHttpEndpoints(options: HttpEndpointsOptions): Promise<() => Promise<void>> {
  const opened: Server[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(opened.map(closeServer));
  };
  try {
    for (const { at, paths } of endpointsOf(options).values()) {
      const server = createServer((request, response) => {
        const answer = paths.get((request.url ?? "/").split("?")[0] ?? "/")?.();
        response.writeHead(answer?.status ?? 404, { "content-type": "text/plain; charset=utf-8" });
        response.end(answer?.body ?? "404 page not found\n");
      });
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(at.port, at.host === "" ? undefined : at.host, resolve);
      });
      opened.push(server);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return close;
}

function endpointsOf({ servers, waitingFor, metricsText }: HttpEndpointsOptions): Endpoints {
  const endpoints = new Map<string, { readonly at: HostAndPort; readonly paths: Map<string, () => Answer> }>();
  const add = (at: HostAndPort | undefined, path: string, answer: () => Answer): void => {
    if (at === undefined) return;
    const key = `${at.host}:${at.port}`;
    const known = endpoints.get(key) ?? { at, paths: new Map<string, () => Answer>() };
    known.paths.set(path, answer);
    endpoints.set(key, known);
  };
  for (const { plugins } of servers) {
    add(plugins.health, "/health", () => ({ status: 200, body: "OK" }));
    add(plugins.ready, "/ready", () => {
      const waiting = waitingFor();
      return waiting.length === 0 ? { status: 200, body: "OK" } : { status: 503, body: waiting.join(",") };
    });
    add(plugins.prometheus, "/metrics", () => ({ status: 200, body: metricsText() }));
  }
  return endpoints;
}

function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeAllConnections();
  return closed;
}
