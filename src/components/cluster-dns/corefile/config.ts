/** A Corefile as complete, checked values: what each server block serves and how. */
import { closestName } from "../../../lib/hints/index.ts";
import { CorefileError, parseCorefile } from "./parse.ts";
import type { Directive, Problem, ServerBlock } from "./parse.ts";
import { pluginReaders } from "./plugins.ts";
import type { PluginConfigs, PluginName } from "./plugins.ts";
import { parseServerKey } from "./values.ts";

export interface ServerConfig {
  /** Canonical, with the final dot: "." or "cluster.local." */
  readonly zone: string;
  readonly port: number;
  /** What the block configures, by plugin; the order of the chain is fixed elsewhere. */
  readonly plugins: Readonly<Partial<PluginConfigs>>;
  readonly line: number;
}

export interface ReadCorefileOptions {
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The port of keys without one: CoreDNS's `-dns.port`. */
  readonly defaultPort?: number;
}

/** Throws `CorefileError` with all that is wrong. */
export function readCorefile(text: string, options: ReadCorefileOptions = {}): readonly ServerConfig[] {
  const problems: Problem[] = [];
  const servers = parseCorefile(text, options.environment).flatMap((block) =>
    readServerBlock(block, { problems, defaultPort: options.defaultPort ?? 53 }),
  );
  const seen = new Map<string, ServerConfig>();
  for (const server of servers) {
    const key = `${server.zone}:${server.port}`;
    const earlier = seen.get(key);
    if (earlier !== undefined && earlier.line !== server.line)
      problems.push({ line: server.line, text: `"${key}" is served by the block of line ${earlier.line} already` });
    seen.set(key, server);
  }
  if (servers.length === 0 && problems.length === 0)
    problems.push({ line: 1, text: 'it has no server block, such as ".:53 { forward . /etc/resolv.conf }"' });
  if (problems.length > 0) throw new CorefileError(problems);
  return servers;
}

function readServerBlock(
  block: ServerBlock,
  { problems, defaultPort }: { readonly problems: Problem[]; readonly defaultPort: number },
): readonly ServerConfig[] {
  const zones = block.keys.flatMap((key) => {
    const parsed = parseServerKey(key, defaultPort);
    if (typeof parsed === "object") return [parsed];
    problems.push({ line: block.line, text: parsed });
    return [];
  });
  const plugins: Partial<Record<PluginName, unknown>> = {};
  for (const directive of block.directives) {
    const { name } = directive;
    if (!isPluginName(name)) problems.push({ line: directive.line, text: unknownPlugin(name) });
    else if (plugins[name] !== undefined)
      problems.push({ line: directive.line, text: `the plugin "${name}" is given twice in one server block` });
    else plugins[name] = readPlugin(name, { directive, zones: zones.map(({ zone }) => zone), problems });
  }
  return zones.map(({ zone, port }) => ({
    zone,
    port,
    plugins: plugins as Partial<PluginConfigs>,
    line: block.line,
  }));
}

function readPlugin(
  name: PluginName,
  {
    directive,
    zones,
    problems,
  }: { readonly directive: Directive; readonly zones: readonly string[]; readonly problems: Problem[] },
): unknown {
  return pluginReaders[name]({
    directive,
    zones,
    fail: (text, line = directive.line) => problems.push({ line, text: `${name}: ${text}` }),
  });
}

function isPluginName(name: string): name is PluginName {
  return Object.hasOwn(pluginReaders, name);
}

/** Plugins CoreDNS has and this server has not, so that the message can tell a slip from a wish. */
const foreignPlugins = new Set(
  (
    "acl any auto autopath azure bufsize cancel chaos clouddns debug dns64 dnssec dnstap erratic etcd file geoip grpc " +
    "grpc_server header https import k8s_external local metadata minimal multisocket nsid pprof quic rewrite root " +
    "route53 secondary sign template timeouts tls trace transfer tsig view whoami"
  ).split(" "),
);

function unknownPlugin(name: string): string {
  const known = Object.keys(pluginReaders).toSorted().join(", ");
  const meant = closestName(name, Object.keys(pluginReaders));
  return foreignPlugins.has(name)
    ? `the plugin "${name}" of CoreDNS is not part of netloom's DNS: remove the line (there are: ${known})`
    : `unknown plugin "${name}": ${meant === undefined ? `write one of ${known}` : `did you mean "${meant}"?`}`;
}
