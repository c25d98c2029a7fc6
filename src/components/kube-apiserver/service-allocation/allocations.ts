/** Which Service addresses and node ports are in use: derived from the stored services, plus what is about to be stored. */
import type { Service } from "../../../api/generated/types.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import {
  type Cidr,
  cidrNetwork,
  cidrSize,
  ipFamily,
  type IpFamily,
  ipToNumber,
  isIpAddress,
  nthAddress,
  parseCidr,
  parseIpAddress,
} from "../../../lib/ip/index.ts";
import type { PerFamily } from "../../../model/cluster-config.ts";
import type { ObjectStore } from "../../../storage/index.ts";
import { Pool, staticCountOf } from "./pool.ts";

export type AllocationProblem = "outside" | "taken";

/** What one write takes; given back all together when it was stored (the store then tells) or refused. */
export interface Hold {
  address(wanted: string): AllocationProblem | undefined;
  /** Undefined when the family's range is full. */
  anyAddress(family: IpFamily): string | undefined;
  port(wanted: number): AllocationProblem | undefined;
  /** Undefined when the range is full. */
  anyPort(): number | undefined;
  release(): void;
}

export interface Allocations {
  hold(): Hold;
}

const collection = "services";

export function createAllocations(options: {
  readonly store: ObjectStore;
  /** "10.96.0.0/12", "fd00:10:96::/112". */
  readonly serviceCidrs: PerFamily;
  readonly nodePortRange: { readonly first: number; readonly last: number };
}): Allocations {
  const { store, nodePortRange } = options;
  const ranges = options.serviceCidrs.map((cidr) => addressRange(parseCidr(cidr)));
  const portCount = nodePortRange.last - nodePortRange.first + 1;
  const ports = new Pool({
    ...nodePortRange,
    staticCount: staticCountOf(portCount, { share: 32, least: 16, most: 128 }),
  });

  const count = (object: KubernetesObject | undefined, change: "use" | "release"): void => {
    if (object === undefined) return;
    for (const address of clusterIpsOf(object)) {
      const place = placeOf(address, ranges);
      place?.range.pool[change](place.offset);
    }
    for (const port of nodePortsOf(object)) ports[change](port);
  };
  const { items, revision } = store.list(collection);
  for (const stored of items) count(stored.peek(), "use");
  store.watch(collection, revision, ({ type, current, previous }) => {
    if (type !== "DELETED") count(current.object, "use");
    count(previous?.peek(), "release");
  });

  return {
    hold: () => {
      const heldAddresses: AddressPlace[] = [];
      const heldPorts: number[] = [];
      const takeAddress = (place: AddressPlace): void => {
        place.range.pool.use(place.offset);
        heldAddresses.push(place);
      };
      return {
        address: (wanted) => {
          const place = placeOf(wanted, ranges);
          if (place === undefined) return "outside";
          if (place.range.pool.isUsed(place.offset)) return "taken";
          takeAddress(place);
          return undefined;
        },
        anyAddress: (family) => {
          const range = ranges.find((candidate) => candidate.family === family);
          const offset = range?.pool.pick();
          if (range === undefined || offset === undefined) return undefined;
          takeAddress({ range, offset });
          return nthAddress(range.cidr, offset);
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
          for (const { range, offset } of heldAddresses.splice(0)) range.pool.release(offset);
          for (const port of heldPorts.splice(0)) ports.release(port);
        },
      };
    },
  };
}

interface AddressRange {
  readonly cidr: Cidr;
  readonly family: IpFamily;
  /** The network's own address. */
  readonly first: bigint;
  /** Of offsets from `first` on. */
  readonly pool: Pool;
}

interface AddressPlace {
  readonly range: AddressRange;
  readonly offset: number;
}

function addressRange(cidr: Cidr): AddressRange {
  const family = ipFamily(cidr);
  // Without the network's own address and, which IPv6 has not, the broadcast address.
  const most = cidrSize(cidr) < 2n ** 32n ? cidrSize(cidr) : 2n ** 32n;
  const size = Number(most) - (family === "IPv4" ? 2 : 1);
  const staticCount = staticCountOf(size, { share: 16, least: 16, most: 256 });
  return { cidr, family, first: ipToNumber(cidrNetwork(cidr)), pool: new Pool({ first: 1, last: size, staticCount }) };
}

/** Undefined outside of all ranges. */
function placeOf(address: string, ranges: readonly AddressRange[]): AddressPlace | undefined {
  if (!isIpAddress(address)) return undefined;
  const ip = parseIpAddress(address);
  const family = ipFamily(ip);
  const number = ipToNumber(ip);
  for (const range of ranges) {
    const offset = Number(number - range.first);
    if (range.family === family && range.pool.contains(offset)) return { range, offset };
  }
  return undefined;
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
