/** One address for the metrics of all processes of a cluster. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { Clock } from "../../machinery/clock.ts";
import type { Component } from "../../machinery/component.ts";
import type { Logger } from "../../machinery/log.ts";
import { type Exposition, mergeExpositions } from "../../machinery/metrics/index.ts";

/** A process whose metrics are asked for with each scrape. */
export interface MetricsSource {
  /** "server", "agent-1": the value of the label `process`. */
  readonly process: string;
  /** In Prometheus' text format. */
  read(signal: AbortSignal): Promise<string>;
}

export interface MetricsGatewayOptions {
  readonly listen: { readonly host: string; readonly port: number };
  /** Asked with each scrape: processes come and go. */
  readonly sources: () => Promise<readonly MetricsSource[]>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A scrape waits this long for a process that does not answer; Prometheus' own patience is ten seconds. */
const patienceMs = 2000;

/** Where the address cannot be had, the cluster goes on without, and the log says so. */
export function createMetricsGateway(options: MetricsGatewayOptions): Component {
  const { listen, log } = options;
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => undefined);
  return {
    name: "metrics-gateway",
    ready: ready.promise,
    run: async (signal) => {
      const server = createServer((request, response) => {
        if (request.url !== "/metrics" || (request.method !== "GET" && request.method !== "HEAD")) {
          response.writeHead(404, { "Content-Type": "text/plain; charset=utf-8" }).end("metrics are at /metrics\n");
          return;
        }
        void page(options, signal).then(
          (text) => response.writeHead(200, { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" }).end(text),
          (error: unknown) => response.writeHead(500).end(`${(error as Error).message}\n`),
        );
      });
      if (await startListening(server, listen, log)) {
        ready.resolve();
        await untilAborted(signal);
        server.closeAllConnections();
        server.close();
      } else {
        ready.resolve();
        await untilAborted(signal);
      }
    },
  };
}

async function startListening(server: Server, listen: MetricsGatewayOptions["listen"], log: Logger): Promise<boolean> {
  try {
    server.listen({ ...listen, exclusive: true });
    await once(server, "listening");
    return true;
  } catch (error) {
    log.warn("the cluster's metrics have no address on the host", { ...listen, error });
    return false;
  }
}

/** A process that does not answer is left out, and `up` says so. */
async function page({ sources, clock }: MetricsGatewayOptions, signal: AbortSignal): Promise<string> {
  const pages = await Promise.all(
    (await sources()).map(async (source): Promise<{ process: string; exposition?: Exposition }> => {
      const { process } = source;
      const patience = new AbortController();
      const both = AbortSignal.any([signal, patience.signal]);
      const timer = clock.sleep(patienceMs, both).then(
        () => patience.abort(new Error(`${process} does not answer`)),
        () => undefined,
      );
      try {
        return { process, exposition: { labels: { process }, text: await source.read(both) } };
      } catch {
        return { process };
      } finally {
        patience.abort();
        await timer;
      }
    }),
  );
  const up = pages.map(
    ({ process, exposition }) => `netloom_up{process="${process}"} ${exposition === undefined ? 0 : 1}\n`,
  );
  const head = "# HELP netloom_up Whether the process answered this scrape.\n# TYPE netloom_up gauge\n";
  return `${head}${up.join("")}${mergeExpositions(pages.flatMap(({ exposition }) => exposition ?? []))}`;
}

const untilAborted = async (signal: AbortSignal): Promise<void> => {
  if (!signal.aborted) await once(signal, "abort");
};
