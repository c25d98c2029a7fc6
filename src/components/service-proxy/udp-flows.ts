/** UDP has no end of its own: a flow stays with the way it went first as long as packets come. So it is cut by hand. */
import { openConntrack, protocolNumbers, type Conntrack } from "../../kernel/conntrack/index.ts";
import type { NetworkNamespace } from "../../kernel/network-namespace.ts";
import type { Logger } from "../../machinery/log.ts";
import type { Backend, NodeNetwork } from "../../model/services/index.ts";
import type { UdpFrontend } from "./udp-frontends.ts";

export interface UdpFlows {
  /** Ends the flows to endpoints that left. */
  cut(departed: readonly Backend[]): void;
  /** Ends the flows that began before there was such a frontend: they go on without translation, and never reach it. */
  clear(arrived: readonly UdpFrontend[]): void;
  close(): void;
}

/** Where the kernel refuses, the log says what follows of it. Opens a socket with the first need. */
export function createUdpFlows(options: {
  readonly namespace: NetworkNamespace;
  readonly node: Pick<NodeNetwork, "addresses">;
  readonly log: Logger;
  /** How to look at the connections of `namespace`; tests give a fake. */
  readonly openConntrack?: (options: { readonly namespace: NetworkNamespace }) => Conntrack;
}): UdpFlows {
  const { namespace, node, log, openConntrack: open = openConntrack } = options;
  let conntrack: Conntrack | undefined;
  const connections = (): Conntrack => (conntrack ??= open({ namespace }));
  return {
    cut: (departed) => {
      if (departed.length === 0) return;
      for (const mark of new Set(departed.map((backend) => backend.mark))) {
        const gone = new Set(
          departed.filter((one) => one.mark === mark).map(({ address, port }) => `${address} ${port}`),
        );
        try {
          for (const connection of connections().list({ mark, protocol: protocolNumbers.udp })) {
            const { source, sourcePort } = connection.reply;
            if (gone.has(`${source} ${sourcePort}`)) connections().delete(connection);
          }
        } catch (error) {
          log.warn("cannot cut UDP flows to endpoints that left: they go on until they pause", { mark, error });
        }
      }
    },
    clear: (arrived) => {
      if (arrived.length === 0) return;
      const frontends = new Set(arrived.map(({ address = "", port }) => `${address} ${port}`));
      const ofNode = new Set<string>(node.addresses);
      try {
        for (const connection of connections().list({ mark: 0, protocol: protocolNumbers.udp })) {
          const { destination, destinationPort } = connection.original;
          const isNew =
            frontends.has(`${destination} ${destinationPort}`) ||
            (ofNode.has(destination) && frontends.has(` ${destinationPort}`));
          if (isNew && connection.reply.source === destination) connections().delete(connection);
        }
      } catch (error) {
        log.warn("cannot cut UDP flows older than their service: they go on until they pause", { error });
      }
    },
    close: () => {
      conntrack?.close();
      conntrack = undefined;
    },
  };
}
