/**
 * Which Service addresses and node ports are in use: derived from the stored Services and IPAddresses, plus what is about
 * to be stored.
 */
import type { Service } from "../../../api/generated/types.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import {
  type IpAddress,
  type IpFamily,
  ipFamily,
  ipToNumber,
  isIpAddress,
  parseIpAddress,
} from "../../../lib/ip/index.ts";
import type { ObjectStore, StoreKey } from "../../../storage/index.ts";
import { addressAt, followAddressRanges } from "./address-ranges.ts";
import type { AddressRange } from "./address-ranges.ts";
import { heldAddressesOf, ipAddressKey, ipAddressPlace, servicePlace } from "./service-addresses.ts";
import type { AddressDifferences } from "./repair.ts";
import { pickFree, type PoolRange, staticCountOf, Uses } from "./pool.ts";

export type AllocationProblem = "outside" | "taken";

/** What one write takes; given back all together when it was stored (the store then tells) or refused. */
export interface Hold {
  address(wanted: string): AllocationProblem | undefined;
  /** Undefined when the family's ranges are full. */
  anyAddress(family: IpFamily): string | undefined;
  port(wanted: number): AllocationProblem | undefined;
  /** Undefined when the range is full. */
  anyPort(): number | undefined;
  release(): void;
}

export interface Allocations {
  hold(): Hold;
  /** As they were found at the start. */
  readonly differences: AddressDifferences;
}

export function createAllocations(options: {
  readonly store: ObjectStore;
  readonly nodePortRange: { readonly first: number; readonly last: number };
}): Allocations {
  const { store, nodePortRange } = options;
  const ranges = followAddressRanges(store);
  const addresses = new Uses<number | bigint>();
  const ports = new Uses<number>();
  const differences = followUses(store, { addresses, ports });
  const portRange = portRangeOf(nodePortRange);

  // Also by an IPAddress that is still on its way to the disk, which the counts do not know yet.
  const isTaken = (address: IpAddress): boolean =>
    addresses.has(numberOf(address)) || store.latest(ipAddressKey(address)) !== undefined;
  const pickAddress = (range: AddressRange): IpAddress | undefined => {
    const offset = pickFree(range, (candidate) => isTaken(addressAt(range, candidate)));
    return offset === undefined ? undefined : addressAt(range, offset);
  };

  return {
    differences,
    hold: () => {
      const heldAddresses: (number | bigint)[] = [];
      const heldPorts: number[] = [];
      const takeAddress = (address: IpAddress): void => take(addresses, heldAddresses, numberOf(address));
      return {
        address: (wanted) => {
          if (!isIpAddress(wanted)) return "outside";
          const address = parseIpAddress(wanted);
          if (!ranges.give(address)) return "outside";
          if (isTaken(address)) return "taken";
          takeAddress(address);
          return undefined;
        },
        anyAddress: (family) => {
          for (const range of ranges.ready) {
            const address = range.family === family ? pickAddress(range) : undefined;
            if (address === undefined) continue;
            takeAddress(address);
            return address;
          }
          return undefined;
        },
        port: (wanted) => {
          if (wanted < nodePortRange.first || wanted > nodePortRange.last) return "outside";
          if (ports.has(wanted)) return "taken";
          take(ports, heldPorts, wanted);
          return undefined;
        },
        anyPort: () => {
          const port = pickFree(portRange, (candidate) => ports.has(candidate));
          if (port !== undefined) take(ports, heldPorts, port);
          return port;
        },
        release: () => {
          for (const address of heldAddresses.splice(0)) addresses.release(address);
          for (const port of heldPorts.splice(0)) ports.release(port);
        },
      };
    },
  };
}

interface UsedNumbers {
  readonly addresses: Uses<number | bigint>;
  readonly ports: Uses<number>;
}

/** Counts what is stored, and from then on what is written, for as long as the store lives. */
function followUses(store: ObjectStore, { addresses, ports }: UsedNumbers): AddressDifferences {
  const countService = (service: KubernetesObject | undefined, change: "use" | "release"): void => {
    if (service === undefined) return;
    for (const address of heldAddressesOf(service)) addresses[change](numberOf(address));
    for (const port of nodePortsOf(service)) ports[change](port);
  };
  const services = store.list(servicePlace);
  const missing = new Map<IpAddress, StoreKey>();
  for (const stored of services.items) {
    // One look at each for all that is asked of it: there may be ten thousands.
    const service = stored.peek();
    countService(service, "use");
    for (const address of heldAddressesOf(service)) missing.set(address, stored.key);
  }
  store.watch(servicePlace, services.revision, ({ type, current, previous }) => {
    if (type !== "DELETED") countService(current.object, "use");
    countService(previous?.peek(), "release");
  });
  // An IPAddress is its name: nobody has to read what else is in it.
  const listed = store.list(ipAddressPlace);
  const idle: IpAddress[] = [];
  for (const { key } of listed.items) {
    const address = parseIpAddress(key.name);
    addresses.use(numberOf(address));
    if (!missing.delete(address)) idle.push(address);
  }
  store.watch(ipAddressPlace, listed.revision, ({ type, current: { key } }) => {
    if (type === "MODIFIED") return;
    addresses[type === "ADDED" ? "use" : "release"](numberOf(parseIpAddress(key.name)));
  });
  return { missing: [...missing], idle };
}

function portRangeOf(range: { readonly first: number; readonly last: number }): PoolRange {
  const count = range.last - range.first + 1;
  return { ...range, staticCount: staticCountOf(count, { share: 32, least: 16, most: 128 }) };
}

/** Of IPv4 small enough for a number: tables of ten thousands hold them. */
function numberOf(address: IpAddress): number | bigint {
  const number = ipToNumber(address);
  return ipFamily(address) === "IPv4" ? Number(number) : number;
}

function take<T extends number | bigint>(uses: Uses<T>, held: T[], value: T): void {
  uses.use(value);
  held.push(value);
}

/** Each node port a Service holds, once. */
export function nodePortsOf(service: KubernetesObject): readonly number[] {
  const { spec } = service as Service;
  const numbers = (spec?.ports ?? []).map(({ nodePort = 0 }) => nodePort);
  return [...new Set([...numbers, spec?.healthCheckNodePort ?? 0])].filter((port) => port !== 0);
}
