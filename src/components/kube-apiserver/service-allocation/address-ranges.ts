/** The ranges of which Services get addresses: those of the ServiceCIDRs that are ready. */
import { resources } from "../../../api/resources.ts";
import type { ServiceCIDR } from "../../../api/generated/types.ts";
import {
  type Cidr,
  cidrNetwork,
  cidrPrefix,
  cidrSize,
  ipFamily,
  type IpAddress,
  type IpFamily,
  ipFromNumber,
  ipToNumber,
} from "../../../lib/ip/index.ts";
import { defaultServiceCidrName, givesOut, isReady, rangesOf } from "../../../model/service-cidrs/index.ts";
import type { ObjectStore } from "../../../storage/index.ts";
import { type PoolRange, staticCountOf } from "./pool.ts";

export interface AddressRange extends PoolRange {
  readonly cidr: Cidr;
  readonly family: IpFamily;
  readonly network: bigint;
}

export interface AddressRanges {
  readonly ready: readonly AddressRange[];
  /** Whether any of them gives the address out. */
  give(address: IpAddress): boolean;
}

const { group, plural } = resources.serviceCidrs;
const place = `${plural}.${group}`;
/** Upstream refuses to give out addresses of greater ranges. */
const leastPrefix = { IPv4: 0, IPv6: 64 } as const;

/** Follows the store for as long as that lives. */
export function followAddressRanges(store: ObjectStore): AddressRanges {
  const objects = new Map<string, ServiceCIDR>();
  let ready: readonly AddressRange[] | undefined;
  const { items, revision } = store.list(place);
  for (const { key, object } of items) objects.set(key.name, object);
  store.watch(place, revision, ({ type, current: { key, object } }) => {
    if (type === "DELETED") objects.delete(key.name);
    else objects.set(key.name, object);
    ready = undefined;
  });
  const current = (): readonly AddressRange[] => (ready ??= readyRanges(objects));
  return {
    get ready() {
      return current();
    },
    give: (address) => current().some(({ cidr }) => givesOut(cidr, address)),
  };
}

/** The cluster's own first, so that others are used when that is full; each once, however many objects name it. */
function readyRanges(objects: ReadonlyMap<string, ServiceCIDR>): readonly AddressRange[] {
  const rank = (name: string): string => (name === defaultServiceCidrName ? "" : name);
  const inOrder = [...objects].toSorted(([one], [other]) => (rank(one) < rank(other) ? -1 : 1));
  const cidrs = new Set(inOrder.flatMap(([, object]) => (isReady(object) ? rangesOf(object) : [])));
  return [...cidrs].filter((cidr) => cidrPrefix(cidr) >= leastPrefix[ipFamily(cidr)]).map(addressRange);
}

function addressRange(cidr: Cidr): AddressRange {
  const family = ipFamily(cidr);
  // Without the network's own address and, which IPv6 has not, the broadcast address.
  const most = cidrSize(cidr) < 2n ** 32n ? cidrSize(cidr) : 2n ** 32n;
  const last = Number(most) - (family === "IPv4" ? 2 : 1);
  const staticCount = staticCountOf(last, { share: 16, least: 16, most: 256 });
  return { cidr, family, network: ipToNumber(cidrNetwork(cidr)), first: 1, last, staticCount };
}

export function addressAt({ network, family }: AddressRange, offset: number): IpAddress {
  return ipFromNumber(network + BigInt(offset), family);
}
