/** How a process of the cluster gives its metrics to the gateway: over a Unix socket that only the cluster sees. */
import { once } from "node:events";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { createServer, get, type RequestOptions } from "node:http";
import { join } from "node:path";
import type { Component } from "../../machinery/component.ts";
import type { MetricsRegistry } from "../../machinery/metrics/index.ts";
import type { MetricsSource } from "./gateway.ts";

const ending = ".sock";

/** Listens at `<folder>/<process>.sock`; a socket that a former process left there is replaced. */
export function createMetricsSocket(options: {
  readonly folder: string;
  readonly process: string;
  readonly metrics: MetricsRegistry;
}): Component {
  const { folder, process, metrics } = options;
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => undefined);
  return {
    name: "metrics-socket",
    ready: ready.promise,
    run: async (signal) => {
      const path = join(folder, `${process}${ending}`);
      mkdirSync(folder, { recursive: true });
      rmSync(path, { force: true });
      const server = createServer((_request, response) => {
        void metrics.metrics().then(
          (text) => response.end(text),
          (error: unknown) => response.writeHead(500).end(`${(error as Error).message}\n`),
        );
      });
      server.listen(path);
      await once(server, "listening");
      ready.resolve();
      if (!signal.aborted) await once(signal, "abort");
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The processes that have a socket in `folder`. */
export function metricsSockets(folder: string): readonly MetricsSource[] {
  return readFolder(folder)
    .filter((name) => name.endsWith(ending))
    .toSorted()
    .map((name) => ({
      process: name.slice(0, -ending.length),
      read: async (signal) => await readMetrics({ socketPath: join(folder, name) }, signal),
    }));
}

function readFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // No process has come so far yet.
    return [];
  }
}

/** `target`: how Node's HTTP client finds the process. */
export async function readMetrics(
  target: Pick<RequestOptions, "socketPath" | "createConnection">,
  signal: AbortSignal,
): Promise<string> {
  return await new Promise((resolve, reject) => {
    // With a connection of its own the request must have no agent, not even `false`, which means a new one.
    const agent = target.createConnection === undefined ? { agent: false } : {};
    const request = get({ ...target, ...agent, path: "/metrics", host: "localhost", signal }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.once("error", reject);
      response.once("end", () => {
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`the process answered ${response.statusCode}`));
      });
    });
    request.once("error", reject);
  });
}
