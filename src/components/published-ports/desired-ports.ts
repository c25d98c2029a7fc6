import type { Service } from "../../api/generated/types.ts";
import type { NodeConfig } from "../../model/cluster-config.ts";

export interface PublishedPort {
  /** Unique: "tcp 127.60.0.1:31080". */
  readonly key: string;
  readonly protocol: "TCP" | "UDP";
  /** On the host. */
  readonly listen: { readonly host: string; readonly port: number };
  /** In the cluster. */
  readonly target: { readonly address: string; readonly port: number };
}

/** Pure: every NodePort of every Service, once per node. */
export function desiredPorts(
  services: Iterable<Service>,
  nodes: readonly NodeConfig[],
): ReadonlyMap<string, PublishedPort> {
  const ports = new Map<string, PublishedPort>();
  for (const service of services) {
    for (const { nodePort, protocol = "TCP" } of service.spec?.ports ?? []) {
      if (nodePort === undefined || nodePort === 0 || (protocol !== "TCP" && protocol !== "UDP")) continue;
      for (const node of nodes) {
        const key = `${protocol.toLowerCase()} ${node.loopbackAddress}:${nodePort}`;
        const listen = { host: node.loopbackAddress, port: nodePort };
        ports.set(key, { key, protocol, listen, target: { address: node.address, port: nodePort } });
      }
    }
  }
  return ports;
}
