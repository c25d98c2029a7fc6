/** The kernel's numbers of the address families. */
import { ipFamily, ipFromBytes, type Cidr, type IpAddress } from "../../lib/ip/index.ts";
import { NetlinkDecodeError } from "./wire.ts";

export const inet = 2;
export const inet6 = 10;

export function kernelFamily(address: IpAddress | Cidr): number {
  return ipFamily(address) === "IPv6" ? inet6 : inet;
}

/** Bytes of an address of the kernel's family number; undefined for other families or where there are none. */
export function ipOf(family: number, bytes: Uint8Array | undefined): IpAddress | undefined {
  if (bytes === undefined || (family !== inet && family !== inet6)) return undefined;
  if (bytes.length !== (family === inet ? 4 : 16)) {
    throw new NetlinkDecodeError(`Cannot read address of family ${family}: it has ${bytes.length} bytes`);
  }
  return ipFromBytes(bytes);
}

/** The address of all zeros, which the kernel leaves out of its messages. */
export function unspecified(family: number): IpAddress | undefined {
  if (family === inet) return ipFromBytes(new Uint8Array(4));
  return family === inet6 ? ipFromBytes(new Uint8Array(16)) : undefined;
}
