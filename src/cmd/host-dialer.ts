/** Where the host's clients enter the cluster: beyond it, or on a node. */
import { join } from "node:path";
import type { PublishedPortsOptions } from "../components/published-ports/index.ts";
import type { NamespaceWorker } from "../kernel/netns/index.ts";
import { type ClusterConfig, clusterPaths } from "../model/cluster-config.ts";

export function createHostDialer(config: ClusterConfig, inside: NamespaceWorker): PublishedPortsOptions["dialer"] {
  const { netns } = clusterPaths(config);
  const outside = { netnsPath: join(netns, "outside"), address: config.outsideAddress };
  const nodes = config.nodes.map(({ name, address }) => ({ netnsPath: join(netns, name), address }));
  /** The first node whose namespace is there: one that is stopped has none. */
  const onSomeNode = async <T>(use: (place: typeof outside) => Promise<T>): Promise<T> => {
    let failure: unknown;
    for (const node of nodes) {
      try {
        return await use(node);
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
