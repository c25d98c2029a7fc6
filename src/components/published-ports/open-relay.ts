import type { Clock } from "../../machinery/clock.ts";
import type { PublishedPort } from "./desired-ports.ts";
import type { ClusterDialer, Relay } from "./relay.ts";
import { openTcpRelay } from "./tcp-relay.ts";
import { openUdpRelay } from "./udp-relay.ts";

/** Passes on what comes to the host's port. Resolves when it listens; rejects when the address cannot be bound. */
export async function openRelay(
  port: PublishedPort,
  options: { readonly dialer: ClusterDialer; readonly clock: Clock },
): Promise<Relay> {
  return await (port.protocol === "TCP" ? openTcpRelay(port, options.dialer) : openUdpRelay(port, options));
}
