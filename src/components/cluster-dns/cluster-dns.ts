/** The DNS server as a component: configuration, sockets, informers, reload and shutdown. */
import { createHash } from "node:crypto";
import type { Clock } from "../../machinery/clock.ts";
import type { Component } from "../../machinery/component.ts";
import { createInformers } from "../../machinery/informer/index.ts";
import type { ListWatch } from "../../machinery/informer/index.ts";
import type { Logger } from "../../machinery/log.ts";
import { readCorefile } from "./corefile/index.ts";
import type { ServerConfig } from "./corefile/index.ts";
import { serveHttpEndpoints } from "./http-endpoints.ts";
import { listen } from "./listeners.ts";
import type { Listener } from "./listeners.ts";
import { sendLoopProbe } from "./loop-probe.ts";
import { createDnsMetrics } from "./metrics.ts";
import { createPipeline } from "./pipeline.ts";
import type { Pipeline } from "./pipeline.ts";
import { createResponder } from "./responder.ts";
import type { Respond } from "./responder.ts";
import { createZoneInformers } from "./zone-feed.ts";

/** As CoreDNS: after so long it serves what it has, and answers the cluster's names with SERVFAIL. */
const syncTimeoutMs = 5000;

export interface ClusterDnsOptions {
  /** Reads the Corefile; called again for `reload`. */
  readonly readCorefile: () => string;
  /** Where objects come from; asked for as soon as the Corefile has a `kubernetes` plugin. */
  readonly source: () => ListWatch;
  readonly log: Logger;
  readonly clock: Clock;
  /** The port of server blocks that name none. */
  readonly defaultPort: number;
  /** This server's own addresses, as endpoints list them. */
  readonly localAddresses: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** For `coredns_build_info`. */
  readonly version: string;
}

export interface ClusterDns extends Component {
  /** The bound DNS ports, once it is ready. */
  readonly ports: readonly number[];
}

/** `run` rejects where the Corefile is wrong at the start (`CorefileError`) or a port cannot be bound. */
export function createClusterDns(options: ClusterDnsOptions): ClusterDns {
  return new DnsServer(options);
}

class DnsServer implements ClusterDns {
  readonly name = "cluster-dns";
  readonly #options: ClusterDnsOptions;
  readonly #settled = Promise.withResolvers<void>();
  readonly #metrics = createDnsMetrics();
  readonly #listeners = new Map<number, Listener>();
  readonly #responders = new Map<number, Respond>();
  #pipeline: { readonly value: Pipeline; readonly stop: AbortController } | undefined;
  #isSynced = false;

  constructor(options: ClusterDnsOptions) {
    this.#options = options;
    this.ready.catch(() => undefined);
  }

  get ready(): Promise<void> {
    return this.#settled.promise;
  }

  get ports(): readonly number[] {
    return [...this.#listeners.values()].map(({ port }) => port);
  }

  async run(signal: AbortSignal): Promise<void> {
    // Ends with the last reply, not with the first signal: see the lameduck time.
    const stop = new AbortController();
    try {
      await this.#serve(signal, stop);
    } catch (error) {
      this.#settled.reject(error);
      throw error;
    } finally {
      stop.abort();
      this.#settled.reject(new Error("Cannot wait for cluster-dns: it was stopped before it was ready"));
      this.#pipeline?.stop.abort();
      await Promise.all([...this.#listeners.values()].map((listener) => listener.close()));
    }
  }

  async #serve(signal: AbortSignal, stop: AbortController): Promise<void> {
    const { clock, log, version } = this.#options;
    this.#metrics.buildInfo.set([process.version, "", version], 1);
    this.#metrics.startTime.set([], (clock.now() - performance.now()) / 1000);
    const text = this.#options.readCorefile();
    const servers = this.#parse(text);
    const informers = this.#informers(servers);
    const loop = Promise.withResolvers<never>();
    loop.promise.catch(() => undefined);
    const following = informers?.all.run(stop.signal) ?? Promise.resolve();
    const start = async (): Promise<() => Promise<void>> => {
      const apply = (next: readonly ServerConfig[]): Promise<void> =>
        this.#apply(next, { informers, onLoop: (zone) => loop.reject(loopError(zone)) });
      const closeHttp = await this.#openHttp(servers);
      await this.#waitForSync(informers?.all.ready ?? Promise.resolve(), signal);
      await apply(servers);
      for (const probe of this.#pipeline?.value.loopProbes ?? []) sendLoopProbe(probe, log);
      const [reload] = servers.flatMap((server) => server.plugins.reload ?? []);
      if (reload !== undefined) void this.#reload(text, { ...reload, apply, signal });
      return closeHttp;
    };
    const closeHttp = await start();
    for (const { zone, port } of servers) log.info(`${zone}:${port}`);
    log.info(`netloom cluster-dns ${version}, linux/${process.arch}, node ${process.version}`);
    this.#settled.resolve();
    const lameduckMs = Math.max(0, ...servers.map((server) => server.plugins.health?.lameduckMs ?? 0));
    try {
      await Promise.race([aborted(signal), loop.promise]);
      if (lameduckMs > 0) {
        log.info(`Going into lameduck mode for ${lameduckMs / 1000}s`, { plugin: "health" });
        await clock.sleep(lameduckMs);
      }
    } finally {
      stop.abort();
      await closeHttp();
      await following;
    }
  }

  #parse(text: string): readonly ServerConfig[] {
    const { environment, defaultPort } = this.#options;
    return readCorefile(text, { environment, defaultPort });
  }

  #informers(servers: readonly ServerConfig[]) {
    const configs = servers.flatMap((server) => server.plugins.kubernetes ?? []);
    if (configs.length === 0) return undefined;
    const { source, clock, log } = this.#options;
    const all = createInformers({ source: source(), clock, log: log.child({ plugin: "kubernetes" }) });
    return { all, ofZone: createZoneInformers(all, { withPods: configs.some(({ pods }) => pods === "verified") }) };
  }

  #openHttp(servers: readonly ServerConfig[]): Promise<() => Promise<void>> {
    return serveHttpEndpoints({
      servers,
      waitingFor: () => (this.#isSynced && this.#pipeline !== undefined ? [] : ["kubernetes"]),
      metricsText: () => this.#metrics.text(),
    });
  }

  async #waitForSync(synced: Promise<void>, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    const waited = new AbortController();
    const late = async (): Promise<void> => {
      await clock.sleep(syncTimeoutMs, AbortSignal.any([signal, waited.signal]));
      log.warn("starting server with unsynced Kubernetes API", { plugin: "kubernetes" });
    };
    const done = async (): Promise<void> => {
      await synced;
      this.#isSynced = true;
    };
    // Either may reject when the server is stopped meanwhile, which is no news here.
    await Promise.race([done(), late()].map((waiting) => waiting.catch(() => undefined)));
    waited.abort();
  }

  /** Puts a configuration to work: new chains first, then the sockets, then the old chains end. */
  async #apply(
    servers: readonly ServerConfig[],
    {
      informers,
      onLoop,
    }: {
      readonly informers: { readonly ofZone: ReturnType<typeof createZoneInformers> } | undefined;
      readonly onLoop: (zone: string) => void;
    },
  ): Promise<void> {
    const { clock, log, random, localAddresses } = this.#options;
    const stop = new AbortController();
    const value = createPipeline({
      servers,
      clock,
      log,
      metrics: this.#metrics,
      random,
      informers: informers?.ofZone,
      localAddresses,
      signal: stop.signal,
      onLoop,
    });
    for (const [port, served] of value.ports) {
      const respond = createResponder({ served, zoneVersion: value.version, metrics: this.#metrics, log });
      this.#responders.set(port, respond);
      if (this.#listeners.has(port)) continue;
      const [host = "::"] = servers.find((server) => server.port === port)?.plugins.bind ?? [];
      const current: Respond = (question, origin) => (this.#responders.get(port) ?? respond)(question, origin);
      this.#listeners.set(port, await listen({ host, port, respond: current }));
    }
    for (const [port, listener] of this.#listeners) {
      if (value.ports.has(port)) continue;
      this.#listeners.delete(port);
      await listener.close();
    }
    this.#pipeline?.stop.abort();
    this.#pipeline = { value, stop };
  }

  async #reload(
    first: string,
    {
      intervalMs,
      jitterMs,
      apply,
      signal,
    }: {
      readonly intervalMs: number;
      readonly jitterMs: number;
      readonly apply: (servers: readonly ServerConfig[]) => Promise<void>;
      readonly signal: AbortSignal;
    },
  ): Promise<void> {
    const { clock, random } = this.#options;
    const log = this.#options.log.child({ plugin: "reload" });
    let current = first;
    log.info(`Running configuration SHA512 = ${createHash("sha512").update(current).digest("hex")}`);
    // A sleep that fails ends the loop, whatever the reason: it must never turn without waiting.
    while (await slept(clock.sleep(intervalMs + random() * jitterMs, signal))) {
      try {
        const text = this.#options.readCorefile();
        if (text === current) continue;
        // Remembered even where it is wrong: one complaint per change.
        current = text;
        await apply(this.#parse(text));
        log.info(`Reloading complete, SHA512 = ${createHash("sha512").update(text).digest("hex")}`);
      } catch (error) {
        this.#metrics.reloadFailed.add([]);
        log.error("Corefile changed but reload failed, the former one stays", { error });
      }
    }
  }
}

function slept(sleep: Promise<void>): Promise<boolean> {
  return sleep.then(
    () => true,
    () => false,
  );
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function loopError(zone: string): Error {
  return new Error(
    `Loop detected for zone "${zone}": a resolver of "forward" leads back to this server; ` +
      "name another one in the Corefile or in the node's /etc/resolv.conf",
  );
}
