/** One configuration at work: the chain of plugins of every zone. A reload builds a second one and then drops the first. */
import { readFileSync } from "node:fs";
import type { Clock } from "../../machinery/clock.ts";
import type { Logger } from "../../machinery/log.ts";
import { DnsZone } from "../../model/dns-zone/index.ts";
import { parseHostAndPort } from "./corefile/index.ts";
import type { ServerConfig } from "./corefile/index.ts";
import { emptyReply } from "./handler.ts";
import type { Handler, Plugin, Reply } from "./handler.ts";
import type { DnsMetrics } from "./metrics.ts";
import { cachePlugin } from "./plugins/cache.ts";
import { forwardPlugin } from "./plugins/forward.ts";
import { hostLines, hostsPlugin } from "./plugins/hosts.ts";
import { kubernetesPlugin } from "./plugins/kubernetes.ts";
import { loadbalancePlugin } from "./plugins/loadbalance.ts";
import { loopPlugin } from "./plugins/loop.ts";
import { nameserversOf } from "./plugins/resolv-conf.ts";
import { createUpstream } from "./plugins/upstream.ts";
import type { Served } from "./responder.ts";
import { feedZone } from "./zone-feed.ts";
import type { ZoneInformers } from "./zone-feed.ts";

/**
 * The order of the chain, first to last; the Corefile's order means nothing, as with CoreDNS. Whoever changes replies
 * stands before whoever makes them; the cache stands before all that is slow; `loop` before what may lead in a circle.
 */
const chainOrder = ["loadbalance", "cache", "hosts", "kubernetes", "loop", "forward"] as const;
type Link = (typeof chainOrder)[number];

export interface PipelineOptions {
  readonly servers: readonly ServerConfig[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: DnsMetrics;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly informers: ZoneInformers | undefined;
  /** Addresses of this server as clients know them. */
  readonly localAddresses: readonly string[];
  readonly signal: AbortSignal;
  /** A question that came back: the zone in which it was noticed. */
  readonly onLoop: (zone: string) => void;
}

/** A question to be sent through the server itself, that must not come back. */
export interface LoopProbe {
  readonly name: string;
  readonly port: number;
}

export interface Pipeline {
  readonly ports: ReadonlyMap<number, readonly Served[]>;
  readonly loopProbes: readonly LoopProbe[];
  /** Changes with the zones' contents. */
  readonly version: () => number;
}

/** Throws where a file the configuration names cannot be read. Ends its work with the signal. */
export function createPipeline(options: PipelineOptions): Pipeline {
  const ports = new Map<number, Served[]>();
  const zones: DnsZone[] = [];
  const loopProbes: LoopProbe[] = [];
  for (const server of options.servers) {
    const handler = chainOf(server, { ...options, zones, loopProbes });
    const label = `dns://:${server.port}`;
    for (const name of Object.keys(server.plugins))
      options.metrics.pluginEnabled.set([label, server.zone, "", name], 1);
    const served: Served = {
      zone: server.zone,
      handler,
      server: label,
      isLogged: server.plugins.log === true,
      areErrorsLogged: server.plugins.errors === true,
    };
    ports.set(server.port, [...(ports.get(server.port) ?? []), served]);
  }
  return { ports, loopProbes, version: () => zones.reduce((sum, zone) => sum + zone.version, 0) };
}

interface ChainOptions extends PipelineOptions {
  readonly zones: DnsZone[];
  readonly loopProbes: LoopProbe[];
}

function chainOf(server: ServerConfig, options: ChainOptions): Handler {
  let first: Handler = endOfChain;
  // Aliases are resolved through the whole chain, which is only there once it is built.
  const resolve: Handler = (request) => first(request);
  for (const link of chainOrder.toReversed()) {
    const plugin = pluginOf(link, { server, options, resolve });
    if (plugin !== undefined) first = plugin(first);
  }
  return first;
}

function endOfChain(): Reply {
  return emptyReply("SERVFAIL", "");
}

interface LinkOptions {
  readonly server: ServerConfig;
  readonly options: ChainOptions;
  readonly resolve: Handler;
}

/** Undefined where the server block does not configure it. */
function pluginOf(link: Link, { server, options, resolve }: LinkOptions): Plugin | undefined {
  const { plugins } = server;
  const { metrics, clock, random } = options;
  switch (link) {
    case "loadbalance":
      return plugins.loadbalance === undefined ? undefined : loadbalancePlugin();
    case "cache": {
      const label = `dns://:${server.port}`;
      const now = (): number => clock.now();
      return plugins.cache && cachePlugin({ config: plugins.cache, now, metrics, server: label });
    }
    case "hosts": {
      const config = plugins.hosts;
      if (config === undefined) return undefined;
      const fromFile = config.file === undefined ? [] : hostLines(readFileSync(config.file, "utf8"));
      return hostsPlugin(config, [...fromFile, ...config.entries]);
    }
    case "kubernetes":
      return kubernetesLink({ server, options, resolve });
    case "loop":
      return plugins.loop === undefined ? undefined : loopLink(server, options);
    case "forward": {
      const config = plugins.forward;
      if (config === undefined) return undefined;
      const addresses = config.to.flatMap((target) =>
        target.startsWith("/") ? nameserversOf(readResolvConf(target, options.log)) : [target],
      );
      const upstreams = addresses
        .flatMap((target) => parseHostAndPort(target, 53) ?? [])
        .map((address) => createUpstream({ address, clock, metrics, random, signal: options.signal }));
      if (upstreams.length === 0)
        options.log.warn("no resolver outside: names beyond the cluster end in SERVFAIL", { plugin: "forward" });
      return forwardPlugin({ config, upstreams, metrics, random });
    }
  }
  return undefined;
}

/** A node without the file has no resolver, which is no reason to leave the cluster without DNS. */
function readResolvConf(path: string, log: Logger): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    log.warn(`cannot read ${path}`, { plugin: "forward", error });
    return "";
  }
}

function kubernetesLink({ server, options, resolve }: LinkOptions): Plugin | undefined {
  const config = server.plugins.kubernetes;
  const { informers } = options;
  if (config === undefined || informers === undefined) return undefined;
  const zone = new DnsZone({
    domain: config.zones.find((name) => !isReverse(name)) ?? "cluster.local.",
    reverseZones: config.zones.filter(isReverse),
    ttlSeconds: config.ttlSeconds,
    pods: config.pods,
    usesPodNames: config.usesPodNames,
    ignoresEndpoints: config.ignoresEndpoints,
    namespaces: config.namespaces,
    selector: config.selector,
    localAddresses: options.localAddresses,
  });
  const end = feedZone({ zone, informers, clock: options.clock, metrics: options.metrics });
  options.signal.addEventListener("abort", end, { once: true });
  options.zones.push(zone);
  const parts = Object.values(informers).filter((informer) => informer !== undefined);
  let isSynced = false;
  const hasSynced = (): boolean => (isSynced ||= parts.every((informer) => informer.hasSynced));
  return kubernetesPlugin({ zone, config, hasSynced, resolve });
}

function isReverse(zone: string): boolean {
  return zone.endsWith(".arpa.");
}

function loopLink(server: ServerConfig, options: ChainOptions): Plugin {
  const part = (): string => String(Math.floor(options.random() * 1e16));
  const name = server.zone === "." ? `${part()}.${part()}.` : `${part()}.${part()}.${server.zone}`;
  options.loopProbes.push({ name, port: server.port });
  return loopPlugin({ name, onLoop: () => options.onLoop(server.zone) });
}
