/** Sets of addresses: unions and differences of CIDRs, as sorted disjoint ranges or as the fewest CIDRs. */
import { type Cidr, familyBits, ipFamily, type IpAddress, type IpFamily, ipFromNumber, ipToNumber } from "./address.ts";
import { cidrNetwork, cidrOf, cidrSize } from "./cidr.ts";

/** Both ends belong to it, and both are of one family. */
interface IpRange {
  readonly first: IpAddress;
  readonly last: IpAddress;
}

/**
 * What is in a CIDR of `included` and in none of `excluded`: disjoint ranges that do not touch, IPv4 before IPv6, in
 * order. Overlaps on either side are allowed; an empty result means that nothing is left.
 */
export function subtractCidrs(included: readonly Cidr[], excluded: readonly Cidr[]): readonly IpRange[] {
  return (["IPv4", "IPv6"] as const).flatMap((family) => {
    const holes = union(spansOf(excluded, family));
    return union(spansOf(included, family))
      .flatMap((span) => cut(span, holes))
      .map(({ first, last }) => ({ first: ipFromNumber(first, family), last: ipFromNumber(last, family) }));
  });
}

/** The fewest CIDRs that hold exactly the addresses of `cidrs`. */
export function mergeCidrs(cidrs: readonly Cidr[]): readonly Cidr[] {
  return subtractCidrs(cidrs, []).flatMap(rangeToCidrs);
}

/** The fewest CIDRs that hold exactly the range. */
export function rangeToCidrs(range: IpRange): readonly Cidr[] {
  const family = ipFamily(range.first);
  const bits = familyBits[family];
  const last = ipToNumber(range.last);
  const cidrs: Cidr[] = [];
  for (let first = ipToNumber(range.first); first <= last;) {
    let hostBits = 0;
    while (hostBits < bits && isAligned(first, hostBits + 1) && first + (1n << BigInt(hostBits + 1)) - 1n <= last) {
      hostBits += 1;
    }
    cidrs.push(cidrOf(ipFromNumber(first, family), bits - hostBits));
    first += 1n << BigInt(hostBits);
  }
  return cidrs;
}

function isAligned(value: bigint, hostBits: number): boolean {
  return (value & ((1n << BigInt(hostBits)) - 1n)) === 0n;
}

interface Span {
  readonly first: bigint;
  readonly last: bigint;
}

function spansOf(cidrs: readonly Cidr[], family: IpFamily): readonly Span[] {
  return cidrs
    .filter((cidr) => ipFamily(cidr) === family)
    .map((cidr) => {
      const first = ipToNumber(cidrNetwork(cidr));
      return { first, last: first + cidrSize(cidr) - 1n };
    });
}

function union(spans: readonly Span[]): readonly Span[] {
  const sorted = spans.toSorted((left, right) => (left.first < right.first ? -1 : Number(left.first > right.first)));
  const merged: Span[] = [];
  for (const span of sorted) {
    const previous = merged.at(-1);
    if (previous === undefined || span.first > previous.last + 1n) merged.push(span);
    else if (span.last > previous.last) merged[merged.length - 1] = { first: previous.first, last: span.last };
  }
  return merged;
}

function cut(span: Span, holes: readonly Span[]): readonly Span[] {
  const left: Span[] = [];
  let first = span.first;
  for (const hole of holes) {
    if (hole.last < first || hole.first > span.last) continue;
    if (hole.first > first) left.push({ first, last: hole.first - 1n });
    first = hole.last + 1n;
  }
  if (first <= span.last) left.push({ first, last: span.last });
  return left;
}
