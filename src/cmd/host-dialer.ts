/** Where the host's clients enter the cluster: beyond it, or on a node. */
import { join } from "node:path";
import type { PublishedPortsOptions } from "../components/published-ports/index.ts";
import type { NamespaceWorker } from "../kernel/netns/index.ts";
import type { NodeList } from "../machinery/node-list.ts";
import { type ClusterConfig, clusterPaths } from "../model/cluster-config.ts";

export function createHostDialer(options: {
  readonly config: ClusterConfig;
  readonly nodes: NodeList;
  readonly inside: NamespaceWorker;
}): PublishedPortsOptions["dialer"] {
  const { config, nodes, inside } = options;
  const { netns } = clusterPaths(config);
  const outside = { netnsPath: join(netns, "outside"), addresses: config.outsideAddresses };
  /** The first node whose namespace is there: one that is stopped has none. */
  const onSomeNode = async <T>(use: (place: typeof outside) => Promise<T>): Promise<T> => {
    let failure: unknown;
    for (const { name, addresses } of nodes.current) {
      try {
        return await use({ netnsPath: join(netns, name), addresses });
      } catch (error) {
        if (!isNamespaceGone(error)) throw error;
        failure = error;
      }
    }
    throw failure;
  };
  return {
    connectTcp: async ({ address, port, from }) =>
      from === "outside"
        ? await inside.connectTcp({ netnsPath: outside.netnsPath, address, port })
        : await onSomeNode(async ({ netnsPath }) => await inside.connectTcp({ netnsPath, address, port })),
    bindUdp: async ({ from, address: target }) => {
      const bind = async ({ netnsPath, addresses }: typeof outside): Promise<number> => {
        const address = addresses.find((own) => own.includes(":") === target.includes(":")) ?? addresses[0];
        return await inside.bindUdp({ netnsPath, address, port: 0 });
      };
      return from === "outside" ? await bind(outside) : await onSomeNode(bind);
    },
  };
}

const isNamespaceGone = (error: unknown): boolean =>
  ["ENOENT", "EINVAL"].includes((error as NodeJS.ErrnoException).code ?? "");
