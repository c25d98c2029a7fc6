/** Which address a new pod gets. */
import { type Cidr, cidrSize, ipFamily, type IpAddress, ipToNumber, nthAddress } from "../../lib/ip/index.ts";

class NoFreeAddressError extends Error {
  readonly code = "NoFreeAddress";
  override readonly name = "NoFreeAddressError";
}

/** The network's own address, and the next, which is the bridge's in other pod networks. */
const reservedAtStart = 2n;

/**
 * The first free address after `last`, around the end of the range, so that an address that was just given back is not
 * given out at once. Throws `NoFreeAddressError`.
 */
export function allocateAddress(input: {
  readonly podCidr: Cidr;
  readonly used: ReadonlySet<IpAddress>;
  /** The one given out last; undefined before the first. */
  readonly last: IpAddress | undefined;
}): IpAddress {
  const { podCidr, used, last } = input;
  const base = ipToNumber(nthAddress(podCidr, 0));
  // IPv4's last address is the broadcast address.
  const end = cidrSize(podCidr) - (ipFamily(podCidr) === "IPv4" ? 1n : 0n);
  const count = end - reservedAtStart;
  const lastOffset = last === undefined ? reservedAtStart - 1n : ipToNumber(last) - base;
  const start = lastOffset + 1n < reservedAtStart || lastOffset + 1n >= end ? reservedAtStart : lastOffset + 1n;
  for (let step = 0n; step < count; step += 1n) {
    const address = nthAddress(podCidr, reservedAtStart + ((start - reservedAtStart + step) % count));
    if (!used.has(address)) return address;
  }
  throw new NoFreeAddressError(
    `Cannot allocate a pod address: all ${count < 0n ? 0n : count} of ${podCidr} are in use; delete pods or give the node a larger pod CIDR`,
  );
}
