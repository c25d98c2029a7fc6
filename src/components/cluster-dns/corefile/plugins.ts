/** What each plugin's lines may say, read into complete values with upstream's defaults. */
import { LabelSelectorError, parseLabelSelector, type Selector } from "../../../lib/labels/index.ts";
import type { Directive } from "./parse.ts";
import { parseDurationMs, parseHostAndPort, parseNumber, parseZone } from "./values.ts";
import type { HostAndPort } from "./values.ts";

export interface KubernetesConfig {
  readonly zones: readonly string[];
  readonly pods: "disabled" | "insecure" | "verified";
  readonly ttlSeconds: number;
  /** endpoint_pod_names, noendpoints, namespaces, labels. */
  readonly usesPodNames: boolean;
  readonly ignoresEndpoints: boolean;
  readonly namespaces: readonly string[];
  readonly selector: Selector;
  /** Zones whose names go on to the next plugin where they do not exist. */
  readonly fallthrough: readonly string[];
}

export interface ForwardConfig {
  readonly from: string;
  /** Addresses with ports, and files in the form of resolv.conf. */
  readonly to: readonly string[];
  readonly except: readonly string[];
  /** Absent: no limit. */
  readonly maxConcurrent?: number;
  readonly policy: "random" | "round_robin" | "sequential";
  readonly forceTcp: boolean;
  readonly preferUdp: boolean;
}

export interface CacheSide {
  readonly capacity: number;
  readonly maxTtlSeconds: number;
  readonly minTtlSeconds: number;
  /** Not for names in these. */
  readonly disabled: readonly string[];
}

export interface CacheConfig {
  readonly zones: readonly string[];
  readonly success: CacheSide;
  readonly denial: CacheSide;
}

export interface HostsConfig {
  /** Absent: inline entries only. */
  readonly file?: string;
  readonly entries: readonly (readonly string[])[];
  readonly zones: readonly string[];
  readonly ttlSeconds: number;
  readonly fallthrough: readonly string[];
}

/** By plugin, what its lines say. */
export interface PluginConfigs {
  readonly bind: readonly string[];
  readonly cache: CacheConfig;
  readonly errors: true;
  readonly forward: ForwardConfig;
  readonly health: HostAndPort & { readonly lameduckMs: number };
  readonly hosts: HostsConfig;
  readonly kubernetes: KubernetesConfig;
  readonly loadbalance: true;
  readonly log: true;
  readonly loop: true;
  readonly prometheus: HostAndPort;
  readonly ready: HostAndPort;
  readonly reload: { readonly intervalMs: number; readonly jitterMs: number };
}

export type PluginName = keyof PluginConfigs;

interface Input {
  readonly directive: Directive;
  /** Of the server block. */
  readonly zones: readonly string[];
  readonly fail: (text: string, line?: number) => void;
}

type Readers = { readonly [Name in PluginName]: (input: Input) => PluginConfigs[Name] };

export const pluginReaders: Readers = {
  bind: ({ directive }) => directive.args,
  cache: readCache,
  errors: (input) => readPlain(input),
  forward: readForward,
  health: readHealth,
  hosts: readHosts,
  kubernetes: readKubernetes,
  loadbalance: readLoadbalance,
  log: (input) => readPlain(input),
  loop: (input) => readPlain(input),
  prometheus: (input) => readListen(input, { host: "localhost", port: 9153 }),
  ready: (input) => readListen(input, { host: "", port: 8181 }),
  reload: readReload,
};

function readPlain({ directive, fail }: Input): true {
  for (const { name, line } of directive.block) fail(`the option "${name}" is not known here`, line);
  return true;
}

function readLoadbalance(input: Input): true {
  const [policy = "round_robin"] = input.directive.args;
  if (policy !== "round_robin") input.fail(`the policy "${policy}" is not known: write round_robin`);
  return readPlain(input);
}

function readListen({ directive, fail }: Input, defaults: HostAndPort): HostAndPort {
  const [text] = directive.args;
  const parsed = text === undefined ? defaults : parseHostAndPort(text);
  if (parsed === undefined) fail(`"${text}" is no address with a port, such as ":${defaults.port}"`);
  return parsed ?? defaults;
}

function readHealth(input: Input): PluginConfigs["health"] {
  let lameduckMs = 0;
  for (const { name, args, line } of input.directive.block) {
    const value = parseDurationMs(args[0] ?? "");
    if (name !== "lameduck") input.fail(`the option "${name}" is not known here: there is lameduck`, line);
    else if (value === undefined) input.fail(`lameduck needs a duration such as 5s, not "${args[0] ?? ""}"`, line);
    else lameduckMs = value;
  }
  return { ...readListen(input, { host: "", port: 8080 }), lameduckMs };
}

function readReload({ directive, fail }: Input): PluginConfigs["reload"] {
  const [interval = "30s", jitter = "15s"] = directive.args;
  const intervalMs = parseDurationMs(interval);
  const jitterMs = parseDurationMs(jitter);
  if (intervalMs === undefined || intervalMs < 2000)
    fail(`the interval "${interval}" must be a duration of 2s or more`);
  if (jitterMs === undefined) fail(`the jitter "${jitter}" must be a duration such as 15s`);
  return { intervalMs: intervalMs ?? 30_000, jitterMs: Math.min(jitterMs ?? 0, (intervalMs ?? 30_000) / 2) };
}

function readZones(
  texts: readonly string[],
  { defaults, fail }: { readonly defaults: readonly string[]; readonly fail: Input["fail"] },
): readonly string[] {
  if (texts.length === 0) return defaults;
  return texts.flatMap((text) => {
    const zone = parseZone(text);
    if (zone === undefined) fail(`"${text}" is no zone`);
    return zone ?? [];
  });
}

const kubernetesOptions = [
  "pods",
  "ttl",
  "fallthrough",
  "endpoint_pod_names",
  "noendpoints",
  "namespaces",
  "labels",
] as const;

function readSelector(args: readonly string[], line: number, fail: Input["fail"]): Selector | undefined {
  try {
    return parseLabelSelector(args.join(" "));
  } catch (error) {
    if (!(error instanceof LabelSelectorError)) throw error;
    fail(`labels needs a selector such as "app=web,tier in (a,b)": ${error.message}`, line);
    return undefined;
  }
}

function readKubernetes({ directive, zones, fail }: Input): KubernetesConfig {
  const config = {
    zones: readZones(directive.args, { defaults: zones, fail }),
    pods: "disabled" as KubernetesConfig["pods"],
    ttlSeconds: 5,
    usesPodNames: false,
    ignoresEndpoints: false,
    namespaces: [] as readonly string[],
    selector: parseLabelSelector(""),
    fallthrough: [] as readonly string[],
  };
  if (!config.zones.some((zone) => !zone.endsWith(".arpa.") && zone !== "."))
    fail('a zone is missing: name the cluster\'s domain, such as "kubernetes cluster.local in-addr.arpa ip6.arpa"');
  for (const { name, args, line } of directive.block) {
    const [value = ""] = args;
    if (name === "pods" && (value === "disabled" || value === "insecure" || value === "verified")) config.pods = value;
    else if (name === "pods") fail(`pods must be disabled, insecure or verified, not "${value}"`, line);
    else if (name === "ttl") {
      const ttl = parseNumber(value, { min: 0, max: 3600 });
      if (ttl === undefined) fail(`ttl must be a number of seconds from 0 to 3600, not "${value}"`, line);
      config.ttlSeconds = ttl ?? config.ttlSeconds;
    } else if (name === "fallthrough") config.fallthrough = readZones(args, { defaults: ["."], fail });
    else if (name === "endpoint_pod_names") config.usesPodNames = true;
    else if (name === "noendpoints") config.ignoresEndpoints = true;
    else if (name === "namespaces") config.namespaces = [...config.namespaces, ...args];
    else if (name === "labels") config.selector = readSelector(args, line, fail) ?? config.selector;
    else fail(`the option "${name}" is not supported: there are ${kubernetesOptions.join(", ")}`, line);
  }
  return config;
}

function readForward({ directive, fail }: Input): ForwardConfig {
  const [from = ".", ...to] = directive.args;
  if (to.length === 0) fail('it needs a zone and at least one target, such as "forward . /etc/resolv.conf"');
  for (const target of to.filter((text) => !text.startsWith("/")))
    if (target.startsWith("tls://")) fail(`the target "${target}" asks for TLS, which is not supported`);
    else if (parseHostAndPort(target.replace(/^dns:\/\//, ""), 53) === undefined) fail(`"${target}" is no address`);
  let config: ForwardConfig = {
    from: parseZone(from) ?? ".",
    to: to.map((target) => target.replace(/^dns:\/\//, "")),
    except: [],
    policy: "random",
    forceTcp: false,
    preferUdp: false,
  };
  for (const { name, args, line } of directive.block) {
    const [value = ""] = args;
    if (name === "max_concurrent") {
      const maxConcurrent = parseNumber(value, { min: 0, max: 1_000_000 });
      if (maxConcurrent === undefined) fail(`max_concurrent must be a number, not "${value}"`, line);
      else if (maxConcurrent > 0) config = { ...config, maxConcurrent };
    } else if (name === "policy" && (value === "random" || value === "round_robin" || value === "sequential"))
      config = { ...config, policy: value };
    else if (name === "policy") fail(`policy must be random, round_robin or sequential, not "${value}"`, line);
    else if (name === "except") config = { ...config, except: readZones(args, { defaults: [], fail }) };
    else if (name === "force_tcp") config = { ...config, forceTcp: true };
    else if (name === "prefer_udp") config = { ...config, preferUdp: true };
    else
      fail(
        `the option "${name}" is not supported: there are except, force_tcp, max_concurrent, policy, prefer_udp`,
        line,
      );
  }
  return config;
}

function readCache({ directive, zones, fail }: Input): CacheConfig {
  const [first, ...rest] = directive.args;
  const ttl = first === undefined ? undefined : parseNumber(first, { min: 1, max: 86_400 });
  const zoneTexts = first === undefined ? [] : ttl === undefined ? [first, ...rest] : rest;
  const config = {
    zones: readZones(zoneTexts, { defaults: zones, fail }),
    success: { capacity: 9984, maxTtlSeconds: ttl ?? 3600, minTtlSeconds: 5, disabled: [] } as CacheSide,
    denial: { capacity: 9984, maxTtlSeconds: ttl ?? 1800, minTtlSeconds: 5, disabled: [] } as CacheSide,
  };
  for (const { name, args, line } of directive.block) {
    if (name === "success" || name === "denial") {
      const numbers = args.map((text) => parseNumber(text, { min: 0, max: 10_000_000 }));
      if (numbers.length === 0 || numbers.length > 3 || numbers.includes(undefined))
        fail(`${name} takes a capacity, a greatest TTL and a smallest one, not "${args.join(" ")}"`, line);
      const side = config[name];
      const [capacity = side.capacity, maxTtlSeconds = side.maxTtlSeconds, minTtlSeconds = side.minTtlSeconds] =
        numbers;
      config[name] = { ...side, capacity, maxTtlSeconds, minTtlSeconds };
    } else if (name === "disable" && (args[0] === "success" || args[0] === "denial")) {
      const disabled = readZones(args.slice(1), { defaults: config.zones, fail });
      config[args[0]] = { ...config[args[0]], disabled };
    } else fail(`"${[name, ...args].join(" ")}" is not supported: there are success, denial, disable`, line);
  }
  return config;
}

function readHosts({ directive, zones, fail }: Input): HostsConfig {
  const [first, ...rest] = directive.args;
  const isFile = first?.startsWith("/") ?? false;
  let config: HostsConfig = {
    ...(isFile && first !== undefined ? { file: first } : {}),
    entries: [],
    zones: readZones(isFile || first === undefined ? rest : [first, ...rest], { defaults: zones, fail }),
    ttlSeconds: 3600,
    fallthrough: [],
  };
  for (const { name, args, line } of directive.block) {
    if (name === "fallthrough") config = { ...config, fallthrough: readZones(args, { defaults: ["."], fail }) };
    else if (name === "ttl") {
      const ttlSeconds = parseNumber(args[0], { min: 1, max: 65_535 });
      if (ttlSeconds === undefined)
        fail(`ttl must be a number of seconds from 1 to 65535, not "${args[0] ?? ""}"`, line);
      else config = { ...config, ttlSeconds };
    } else if (/^[\d.:a-f]+$/i.test(name) && args.length > 0)
      config = { ...config, entries: [...config.entries, [name, ...args]] };
    else fail(`"${[name, ...args].join(" ")}" is neither "ADDRESS NAME…" nor one of fallthrough, ttl`, line);
  }
  return config;
}
