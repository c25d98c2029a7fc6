import type { Cidr, IpAddress } from "../../lib/ip/index.ts";

/** A node as the others see it. */
export interface NodeNetwork {
  readonly name: string;
  /** At most one per family. */
  readonly addresses: readonly IpAddress[];
  /** At most one per family. */
  readonly podCidrs: readonly Cidr[];
}
