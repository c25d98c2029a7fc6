/** The nodes of the cluster as they are now; whoever plans routes or ports from them is told when they change. */
import type { NodeConfig } from "../model/cluster-config.ts";

export interface NodeList {
  readonly current: readonly NodeConfig[];
  /** Calls back after each change; returns how to stop. */
  onChange(callback: () => void): () => void;
}

export interface ChangingNodeList extends NodeList {
  /** Harmless where nothing is new. */
  set(nodes: readonly NodeConfig[]): void;
}

export function createNodeList(nodes: readonly NodeConfig[]): ChangingNodeList {
  const callbacks = new Set<() => void>();
  let current = nodes;
  return {
    get current() {
      return current;
    },
    onChange: (callback) => {
      callbacks.add(callback);
      return () => callbacks.delete(callback);
    },
    set: (wanted) => {
      if (JSON.stringify(wanted) === JSON.stringify(current)) return;
      current = wanted;
      for (const callback of callbacks) callback();
    },
  };
}
