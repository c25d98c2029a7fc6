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
  const outside = { netnsPath: join(netns, "outside"), address: config.outsideAddress };
  /** The first node whose namespace is there: one that is stopped has none. */
  const onSomeNode = async <T>(use: (place: typeof outside) => Promise<T>): Promise<T> => {
    let failure: unknown;
    for (const { name, address } of nodes.current) {
      try {
        return await use({ netnsPath: join(netns, name), address });
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
    bindUdp: async (from) =>
      from === "outside"
        ? await inside.bindUdp({ ...outside, port: 0 })
        : await onSomeNode(async (node) => await inside.bindUdp({ ...node, port: 0 })),
  };
}

const isNamespaceGone = (error: unknown): boolean =>
  ["ENOENT", "EINVAL"].includes((error as NodeJS.ErrnoException).code ?? "");
