/**
 * Watches the ConfigMaps and Secrets that volumes of the node's pods are made from, and no others: one watch per object,
 * shared by all pods that mount it.
 */
import type { Pod } from "../../../api/generated/types.ts";
import { resources } from "../../../api/resources.ts";
import type { ApiClient } from "../../../client/api-client.ts";
import type { Clock } from "../../../machinery/clock.ts";
import { createInformer } from "../../../machinery/informer/index.ts";
import type { Logger } from "../../../machinery/log.ts";

export interface Followers {
  /** Calls `onChange` after each change of an object that a volume of the pod names. Returns what ends that. */
  follow(pod: Pod, onChange: () => void): () => void;
  close(): void;
}

interface Follower {
  readonly listeners: Set<() => void>;
  readonly stop: AbortController;
}

export function createFollowers(options: {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly log: Logger;
}): Followers {
  const { client: source, clock, log } = options;
  const followers = new Map<string, Follower>();

  function begin(kind: Kind, namespace: string, name: string): Follower {
    const listeners = new Set<() => void>();
    const stop = new AbortController();
    const fieldSelector = `metadata.name=${name}`;
    const informer = createInformer({ source, resource: resources[kind], namespace, fieldSelector, clock, log });
    informer.onChange(() => {
      for (const listener of listeners) listener();
    });
    informer.run(stop.signal).catch((error: unknown) => {
      if (!stop.signal.aborted) log.warn("cannot follow what a volume is made from", { kind, namespace, name, error });
    });
    return { listeners, stop };
  }

  return {
    follow: (pod, onChange) => {
      const { namespace = "default" } = pod.metadata ?? {};
      const keys = mountedBy(pod).map(({ kind, name }) => {
        const key = `${kind} ${namespace}/${name}`;
        const follower = followers.get(key) ?? begin(kind, namespace, name);
        followers.set(key, follower);
        follower.listeners.add(onChange);
        return key;
      });
      return () => {
        for (const key of keys) {
          const follower = followers.get(key);
          if (follower?.listeners.delete(onChange) !== true || follower.listeners.size > 0) continue;
          follower.stop.abort();
          followers.delete(key);
        }
      };
    },
    close: () => {
      for (const { stop } of followers.values()) stop.abort();
      followers.clear();
    },
  };
}

type Kind = "configMaps" | "secrets";

/** Each object once. */
function mountedBy({ spec }: Pod): readonly { readonly kind: Kind; readonly name: string }[] {
  const found = new Map<string, { readonly kind: Kind; readonly name: string }>();
  const add = (kind: Kind, name: string | undefined): void => {
    if (name !== undefined && name !== "") found.set(`${kind} ${name}`, { kind, name });
  };
  for (const volume of spec?.volumes ?? []) {
    add("configMaps", volume.configMap?.name);
    add("secrets", volume.secret?.secretName);
    for (const { configMap, secret } of volume.projected?.sources ?? []) {
      add("configMaps", configMap?.name);
      add("secrets", secret?.name);
    }
  }
  return [...found.values()];
}
