import type { Service } from "../../api/generated/types.ts";
import { hostPort } from "../../lib/ip/index.ts";
import type { NodeConfig } from "../../model/cluster-config.ts";
import { exposedPort, exposuresOf } from "./exposure.ts";

export interface PublishedPort {
  /** Unique: "tcp 127.60.0.1:31080 to 192.168.60.11:31080". */
  readonly key: string;
  /** "default/web". */
  readonly service: string;
  readonly protocol: "TCP" | "UDP";
  /** On the host. */
  readonly listen: { readonly host: string; readonly port: number };
  /** In the cluster. */
  readonly target: ClusterTarget;
}

export interface ClusterTarget {
  readonly address: string;
  readonly port: number;
  /** Where the way into the cluster begins: beyond it, for node ports; on a node, which knows the Services' addresses. */
  readonly from: "outside" | "node";
}

/** Pure: every NodePort of every Service once per node, and what was exposed on the host's 127.0.0.1, and ::1 where nodes have IPv6. */
export function desiredPorts(
  services: Iterable<Service>,
  nodes: readonly NodeConfig[],
): ReadonlyMap<string, PublishedPort> {
  const ports = new Map<string, PublishedPort>();
  const taken = new Set<string>();
  const hosts = exposingHosts(nodes);
  for (const service of services) {
    for (const port of [...nodePorts(service, nodes), ...exposed(service, hosts)]) {
      const where = `${port.protocol} ${hostPort(port.listen.host, port.listen.port)}`;
      // Two Services may ask for the same port of the host: the first has it.
      if (taken.has(where)) continue;
      taken.add(where);
      ports.set(port.key, port);
    }
  }
  return ports;
}

/**
 * The addresses of the host at which a Service is exposed. A machine may have no IPv6 at all; one that carries nodes with
 * IPv6 addresses has.
 */
export function exposingHosts(nodes: readonly Pick<NodeConfig, "addresses">[]): readonly string[] {
  return nodes.some(({ addresses }) => addresses.some(isIpv6)) ? ["127.0.0.1", "::1"] : ["127.0.0.1"];
}

function nodePorts(service: Service, nodes: readonly NodeConfig[]): readonly PublishedPort[] {
  return (service.spec?.ports ?? []).flatMap(({ nodePort, protocol = "TCP" }) => {
    if (nodePort === undefined || nodePort === 0) return [];
    return nodes.flatMap((node) =>
      published(service, protocol, {
        listen: { host: node.loopbackAddress, port: nodePort },
        target: { address: addressFor(service, node), port: nodePort, from: "outside" },
      }),
    );
  });
}

/** The node listens in the Service's families only. */
function addressFor({ spec }: Service, { addresses }: NodeConfig): string {
  const isWanted = spec?.ipFamilies?.[0] === "IPv6";
  return addresses.find((address) => isIpv6(address) === isWanted) ?? addresses[0];
}

const isIpv6 = (address: string): boolean => address.includes(":");

function exposed(service: Service, hosts: readonly string[]): readonly PublishedPort[] {
  const address = service.spec?.clusterIP;
  if (address === undefined || address === "" || address === "None") return [];
  return exposuresOf(service).flatMap((exposure) => {
    const port = exposedPort(service, exposure);
    if (port?.port === undefined) return [];
    const { protocol = "TCP", port: servicePort } = port;
    return hosts.flatMap((host) =>
      published(service, protocol, {
        listen: { host, port: exposure.hostPort },
        target: { address, port: servicePort, from: "node" },
      }),
    );
  });
}

function published(
  service: Service,
  protocol: string,
  { listen, target }: Pick<PublishedPort, "listen" | "target">,
): readonly PublishedPort[] {
  if (protocol !== "TCP" && protocol !== "UDP") return [];
  const key = `${protocol.toLowerCase()} ${hostPort(listen.host, listen.port)} to ${hostPort(target.address, target.port)}`;
  const name = `${service.metadata?.namespace}/${service.metadata?.name}`;
  return [{ key, service: name, protocol, listen, target }];
}
