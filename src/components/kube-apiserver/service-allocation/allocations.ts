/** Which Service addresses and node ports are in use: derived from the stored services, plus what is about to be stored. */
import type { Service } from "../../../api/generated/types.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import {
  cidrContains,
  cidrNetwork,
  cidrSize,
  ipFromNumber,
  ipToNumber,
  isIpAddress,
  parseCidr,
  parseIpAddress,
} from "../../../lib/ip/index.ts";
import type { ObjectStore } from "../../../storage/index.ts";
import { Pool, staticCountOf } from "./pool.ts";

export type AllocationProblem = "outside" | "taken";

/** What one write takes; given back all together when it was stored (the store then tells) or refused. */
export interface Hold {
  address(wanted: string): AllocationProblem | undefined;
  /** Undefined when the range is full. */
  anyAddress(): string | undefined;
  port(wanted: number): AllocationProblem | undefined;
  /** Undefined when the range is full. */
  anyPort(): number | undefined;
  release(): void;
}

export interface Allocations {
  hold(): Hold;
}

const place = "services";

export function createAllocations(options: {
  readonly store: ObjectStore;
  /** "10.96.0.0/12". */
  readonly serviceCidr: string;
  readonly nodePortRange: { readonly first: number; readonly last: number };
}): Allocations {
  const { store, nodePortRange } = options;
  const cidr = parseCidr(options.serviceCidr);
  const network = ipToNumber(cidrNetwork(cidr));
  // Without the network's own address and the broadcast address.
  const size = Number(cidrSize(cidr) < 2n ** 32n ? cidrSize(cidr) : 2n ** 32n) - 2;
  const addresses = new Pool({
    first: 1,
    last: size,
    staticCount: staticCountOf(size, { share: 16, least: 16, most: 256 }),
  });
  const portCount = nodePortRange.last - nodePortRange.first + 1;
  const ports = new Pool({
    ...nodePortRange,
    staticCount: staticCountOf(portCount, { share: 32, least: 16, most: 128 }),
  });

  const offsetOf = (address: string): number | undefined => {
    if (!isIpAddress(address)) return undefined;
    const ip = parseIpAddress(address);
    const offset = cidrContains(cidr, ip) ? Number(ipToNumber(ip) - network) : 0;
    return addresses.contains(offset) ? offset : undefined;
  };
  const count = (object: KubernetesObject | undefined, change: "use" | "release"): void => {
    if (object === undefined) return;
    for (const address of clusterIpsOf(object)) {
      const offset = offsetOf(address);
      if (offset !== undefined) addresses[change](offset);
    }
    for (const port of nodePortsOf(object)) ports[change](port);
  };
  const { items, revision } = store.list(place);
  for (const stored of items) count(stored.object, "use");
  store.watch(place, revision, ({ type, current, previous }) => {
    if (type !== "DELETED") count(current.object, "use");
    count(previous?.object, "release");
  });

  return {
    hold: () => {
      const heldAddresses: number[] = [];
      const heldPorts: number[] = [];
      return {
        address: (wanted) => {
          const offset = offsetOf(wanted);
          if (offset === undefined) return "outside";
          if (addresses.isUsed(offset)) return "taken";
          take(addresses, heldAddresses, offset);
          return undefined;
        },
        anyAddress: () => {
          const offset = addresses.pick();
          if (offset === undefined) return undefined;
          take(addresses, heldAddresses, offset);
          return ipFromNumber(network + BigInt(offset), cidr.includes(":") ? "IPv6" : "IPv4");
        },
        port: (wanted) => {
          if (!ports.contains(wanted)) return "outside";
          if (ports.isUsed(wanted)) return "taken";
          take(ports, heldPorts, wanted);
          return undefined;
        },
        anyPort: () => {
          const port = ports.pick();
          if (port === undefined) return undefined;
          take(ports, heldPorts, port);
          return port;
        },
        release: () => {
          for (const offset of heldAddresses.splice(0)) addresses.release(offset);
          for (const port of heldPorts.splice(0)) ports.release(port);
        },
      };
    },
  };
}

function take(pool: Pool, held: number[], value: number): void {
  pool.use(value);
  held.push(value);
}

/** The addresses a Service holds; none for headless and external ones. */
export function clusterIpsOf(service: KubernetesObject): readonly string[] {
  const { spec } = service as Service;
  if (spec === undefined || spec.type === "ExternalName") return [];
  const addresses = spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP]);
  return addresses.filter((address) => address !== "" && address !== "None");
}

/** Each node port a Service holds, once. */
export function nodePortsOf(service: KubernetesObject): readonly number[] {
  const { spec } = service as Service;
  const numbers = (spec?.ports ?? []).map(({ nodePort = 0 }) => nodePort);
  return [...new Set([...numbers, spec?.healthCheckNodePort ?? 0])].filter((port) => port !== 0);
}
