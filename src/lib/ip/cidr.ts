/** Prefixes: a network address and the number of bits that all its addresses share. */
import {
  type Cidr,
  familyBits,
  ipFamily,
  ipFromNumber,
  type IpAddress,
  IpParseError,
  ipToNumber,
  parseIpAddress,
} from "./address.ts";

/**
 * Throws `IpParseError`. "10.0.0.5/24" is refused unless `masksHostBits`, which makes it "10.0.0.0/24" (as
 * NetworkPolicy's ipBlock reads it).
 */
export function parseCidr(text: string, options: { readonly masksHostBits?: boolean } = {}): Cidr {
  const fail = (reason: string): never => {
    throw new IpParseError(`Cannot parse CIDR ${JSON.stringify(text)}: ${reason}`);
  };
  const slash = text.indexOf("/");
  if (slash < 0) return fail("it has no prefix, such as 10.0.0.0/8");
  const address = parsePart(text.slice(0, slash), fail);
  const digits = text.slice(slash + 1);
  if (!/^(0|[1-9]\d*)$/.test(digits)) return fail(`the prefix ${JSON.stringify(digits)} is not a number`);
  const prefix = Number(digits);
  const bits = familyBits[ipFamily(address)];
  if (prefix > bits) return fail(`the prefix exceeds ${bits}`);
  const network = cidrOf(address, prefix);
  if (options.masksHostBits !== true && cidrNetwork(network) !== address) {
    return fail(`bits are set beyond the prefix: write ${network}`);
  }
  return network;
}

function parsePart(text: string, fail: (reason: string) => never): IpAddress {
  try {
    return parseIpAddress(text);
  } catch (error) {
    if (error instanceof IpParseError) return fail(error.message.replace(/^.*?": /, ""));
    throw error;
  }
}

/** The network of `prefix` bits around `address`. Throws RangeError where the prefix does not fit the family. */
export function cidrOf(address: IpAddress, prefix: number): Cidr {
  const family = ipFamily(address);
  const bits = familyBits[family];
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > bits) {
    throw new RangeError(`Cannot make a CIDR of ${address} and prefix ${prefix}: it takes 0 to ${bits}`);
  }
  const hostBits = BigInt(bits - prefix);
  return `${ipFromNumber((ipToNumber(address) >> hostBits) << hostBits, family)}/${prefix}` as Cidr;
}

/** The first address: that of the network. */
export function cidrNetwork(cidr: Cidr): IpAddress {
  return cidr.slice(0, cidr.indexOf("/")) as IpAddress;
}

export function cidrPrefix(cidr: Cidr): number {
  return Number(cidr.slice(cidr.indexOf("/") + 1));
}

/** How many addresses it holds, the network's own and the broadcast address included. */
export function cidrSize(cidr: Cidr): bigint {
  return 1n << BigInt(familyBits[ipFamily(cidr)] - cidrPrefix(cidr));
}

/** Whether all of `inner` lies in `cidr`; never across families. */
export function cidrContains(cidr: Cidr, inner: IpAddress | Cidr): boolean {
  if (ipFamily(cidr) !== ipFamily(inner)) return false;
  const isCidr = inner.includes("/");
  const bits = familyBits[ipFamily(cidr)];
  const prefix = cidrPrefix(cidr);
  if (isCidr && cidrPrefix(inner as Cidr) < prefix) return false;
  const address = isCidr ? cidrNetwork(inner as Cidr) : (inner as IpAddress);
  const hostBits = BigInt(bits - prefix);
  return ipToNumber(address) >> hostBits === ipToNumber(cidrNetwork(cidr)) >> hostBits;
}

/** Prefixes overlap exactly where one holds the other. */
export function cidrsOverlap(left: Cidr, right: Cidr): boolean {
  return cidrContains(left, right) || cidrContains(right, left);
}

/** The address at `index`; 0 is the network's own, -1 the last. Throws RangeError beyond the end. */
export function nthAddress(cidr: Cidr, index: number | bigint): IpAddress {
  const size = cidrSize(cidr);
  const offset = BigInt(index) < 0n ? size + BigInt(index) : BigInt(index);
  if (offset < 0n || offset >= size) throw new RangeError(`Cannot take address ${index} of ${cidr}: it holds ${size}`);
  return ipFromNumber(ipToNumber(cidrNetwork(cidr)) + offset, ipFamily(cidr));
}

/** All addresses in order, the network's own first. */
export function* cidrAddresses(cidr: Cidr): Generator<IpAddress, void, undefined> {
  const family = ipFamily(cidr);
  const first = ipToNumber(cidrNetwork(cidr));
  const end = first + cidrSize(cidr);
  for (let value = first; value < end; value += 1n) yield ipFromNumber(value, family);
}
