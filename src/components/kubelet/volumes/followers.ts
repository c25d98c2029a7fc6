/**
 * Watches the ConfigMaps and Secrets that volumes of the node's pods are made from, and no others: one watch per object,
 * shared by all pods that mount it.
 */
import type { ConfigMap, Pod, Secret } from "../../../api/generated/types.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import { resources } from "../../../api/resources.ts";
import type { ApiClient } from "../../../client/api-client.ts";
import type { Clock } from "../../../machinery/clock.ts";
import { createInformer } from "../../../machinery/informer/index.ts";
import type { Logger } from "../../../machinery/log.ts";
import type { ClusterObjects } from "../objects.ts";

export interface Followers {
  /**
   * The objects of volumes: from the watch where the pod of another volume has one already, as upstream's kubelet does, else
   * from the API. Undefined where there is none.
   */
  readonly objects: Pick<ClusterObjects, "configMap" | "secret">;
  /** Calls `onChange` after each change of an object that a volume of the pod names. Returns what ends that. */
  follow(pod: Pod, onChange: () => void): () => void;
  close(): void;
}

interface Follower {
  readonly listeners: Set<() => void>;
  readonly stop: AbortController;
  /** Undefined until the watch knows it, and where there is none. */
  find(): KubernetesObject | undefined;
}

export function createFollowers(options: {
  readonly client: ApiClient;
  /** Asks the API. */
  readonly objects: Pick<ClusterObjects, "configMap" | "secret">;
  readonly clock: Clock;
  readonly log: Logger;
}): Followers {
  const { client: source, clock, log } = options;
  const followers = new Map<string, Follower>();
  /** Versions that volumes were made from while no watch knew the object: its first list is no news for them. */
  const read = new Map<string, Set<string | undefined>>();

  function begin(kind: Kind, namespace: string, name: string): Follower {
    const listeners = new Set<() => void>();
    const stop = new AbortController();
    const fieldSelector = `metadata.name=${name}`;
    const informer = createInformer({ source, resource: resources[kind], namespace, fieldSelector, clock, log });
    const key = keyOf(kind, namespace, name);
    informer.onChange(({ current, previous }) => {
      const known = read.get(key);
      read.delete(key);
      const isNoNews = previous === undefined && known?.size === 1 && known.has(current?.metadata?.resourceVersion);
      if (isNoNews) return;
      for (const listener of listeners) listener();
    });
    informer.run(stop.signal).catch((error: unknown) => {
      if (!stop.signal.aborted) log.warn("cannot follow what a volume is made from", { kind, namespace, name, error });
    });
    return { listeners, stop, find: () => informer.store.list()[0] };
  }

  async function objectOf<T extends KubernetesObject>(
    key: string,
    ask: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const followed = followers.get(key)?.find();
    if (followed !== undefined) return followed as T;
    const object = await ask();
    if (object !== undefined) read.set(key, (read.get(key) ?? new Set()).add(object.metadata?.resourceVersion));
    return object;
  }

  return {
    objects: {
      configMap: async (namespace, name) =>
        await objectOf<ConfigMap>(keyOf("configMaps", namespace, name), () =>
          options.objects.configMap(namespace, name),
        ),
      secret: async (namespace, name) =>
        await objectOf<Secret>(keyOf("secrets", namespace, name), () => options.objects.secret(namespace, name)),
    },
    follow: (pod, onChange) => {
      const { namespace = "default" } = pod.metadata ?? {};
      const keys = mountedBy(pod).map(({ kind, name }) => {
        const key = keyOf(kind, namespace, name);
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
          read.delete(key);
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

const keyOf = (kind: Kind, namespace: string, name: string): string => `${kind} ${namespace}/${name}`;

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
