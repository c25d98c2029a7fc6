/** What a listener on the host's loopback needs, and is. */
import type { Socket } from "node:net";
import type { ClusterTarget } from "./desired-ports.ts";

/** Sockets in the namespaces from which the host's clients enter the cluster. */
export interface ClusterDialer {
  connectTcp(target: ClusterTarget): Promise<Socket>;
  /** A descriptor of a UDP socket bound to an address of the target's family, for dgram's `bind({ fd })`. */
  bindUdp(target: ClusterTarget): Promise<number>;
}

export interface Relay {
  close(): void;
}
