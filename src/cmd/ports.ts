/** `netloom ports`: which addresses of this host lead to which Services. */
import { readFileSync } from "node:fs";
import type { Service } from "../api/generated/types.ts";
import { resources } from "../api/resources.ts";
import { desiredPorts, type PublishedPort } from "../components/published-ports/index.ts";
import { hostPort } from "../lib/ip/index.ts";
import { asAdministrator } from "./admin-client.ts";
import { runningCluster } from "./clusters.ts";
import { formatted } from "./output.ts";
import { table } from "./table.ts";

export interface PortsOptions {
  readonly name: string;
  /** Undefined: of all namespaces. */
  readonly namespace: string | undefined;
  readonly format: "table" | "json" | "yaml";
}

export async function ports({ name, namespace, format }: PortsOptions): Promise<string> {
  const { config } = runningCluster(name);
  const services = await asAdministrator(config, async (client) => {
    return (await client.list(resources.services, namespace === undefined ? {} : { namespace })).items;
  });
  const listening = { TCP: listeningAddresses("tcp"), UDP: listeningAddresses("udp") };
  const rows = [...desiredPorts(services, config.nodes).values()].map((port) => described(port, services, listening));
  if (format !== "table") return await formatted(rows, format);
  if (rows.length === 0) {
    return 'No Service has a port on this host: make one of type NodePort, or "netloom expose service/NAME PORT"\n';
  }
  const cells = rows.map(({ host, protocol, cluster, service, state }) => [host, protocol, cluster, service, state]);
  return `${table([["THIS HOST", "PROTOCOL", "CLUSTER", "SERVICE", "STATE"], ...cells])}\n`;
}

interface PortRow {
  /** "127.60.0.1:31080". */
  readonly host: string;
  readonly protocol: string;
  /** The node's or the Service's address and port. */
  readonly cluster: string;
  /** "default/web:80". */
  readonly service: string;
  /** `closed`: nothing listens, because another program has the port, or because the server only starts. */
  readonly state: "open" | "closed";
}

function described(
  { service, protocol, listen, target }: PublishedPort,
  services: readonly Service[],
  listening: Readonly<Record<string, ReadonlySet<string>>>,
): PortRow {
  const host = hostPort(listen.host, listen.port);
  const object = services.find(({ metadata }) => `${metadata?.namespace}/${metadata?.name}` === service);
  const port = object?.spec?.ports?.find(
    (one) => target.port === (target.from === "outside" ? one.nodePort : one.port),
  );
  return {
    host,
    protocol,
    cluster: hostPort(target.address, target.port),
    service: port === undefined ? service : `${service}:${port.port}`,
    state: listening[protocol]?.has(host) === true ? "open" : "closed",
  };
}

/** TCP_LISTEN and, for UDP, which has no connections, the state the kernel shows instead (TCP_CLOSE). */
const stateOf = { tcp: "0A", udp: "07" } as const;

/** IPv4 only. Lines of /proc/net/tcp: "0: 0100007F:192B 00000000:0000 0A …", the address as the machine's own integer. */
function listeningAddresses(protocol: "tcp" | "udp"): ReadonlySet<string> {
  const found = new Set<string>();
  for (const line of readFileSync(`/proc/net/${protocol}`, "utf8").split("\n").slice(1)) {
    const [, local = "", , state] = line.trim().split(/\s+/);
    const [address = "", port = ""] = local.split(":");
    if (state !== stateOf[protocol]) continue;
    // Both architectures that netloom is made for are little-endian.
    const bytes = Buffer.from(address, "hex").toReversed();
    found.add(`${[...bytes].join(".")}:${Number.parseInt(port, 16)}`);
  }
  return found;
}
