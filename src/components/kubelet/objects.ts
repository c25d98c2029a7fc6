/** The API objects a container's environment and volumes are made from. */
import { ApiError } from "../../api/status.ts";
import type {
  ConfigMap,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  Secret,
  Service,
} from "../../api/generated/types.ts";
import type { KubernetesObject, Resource } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import type { ApiClient } from "../../client/api-client.ts";
import { referencedObjects } from "../../model/pod-environment/index.ts";
import type { AnyContainer } from "./pods/find-container.ts";

export interface ClusterObjects {
  /** Services the node knows, and the ConfigMaps and Secrets the container's environment names; missing ones are absent. */
  referencedBy(
    pod: Pod,
    container: AnyContainer,
  ): Promise<{
    readonly services: readonly Service[];
    readonly configMaps: ReadonlyMap<string, ConfigMap>;
    readonly secrets: ReadonlyMap<string, Secret>;
  }>;
  /** Undefined where it does not exist. */
  configMap(namespace: string, name: string): Promise<ConfigMap | undefined>;
  secret(namespace: string, name: string): Promise<Secret | undefined>;
  persistentVolumeClaim(namespace: string, name: string): Promise<PersistentVolumeClaim | undefined>;
  persistentVolume(name: string): Promise<PersistentVolume | undefined>;
}

/** @param services - Resolves once the node knows the cluster's Services: a container started before would miss some. */
export function createClusterObjects(client: ApiClient, services: () => Promise<readonly Service[]>): ClusterObjects {
  async function get<T extends KubernetesObject>(
    resource: Resource<T>,
    namespace: string | undefined,
    name: string,
  ): Promise<T | undefined> {
    try {
      return await client.get(resource, namespace === undefined ? { name } : { namespace, name });
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) return undefined;
      throw error;
    }
  }

  async function getAll<T extends KubernetesObject>(
    resource: Resource<T>,
    namespace: string,
    names: ReadonlySet<string>,
  ): Promise<ReadonlyMap<string, T>> {
    const found = await Promise.all(
      [...names].map(async (name) => [name, await get(resource, namespace, name)] as const),
    );
    return new Map(found.flatMap(([name, object]) => (object === undefined ? [] : [[name, object] as const])));
  }

  return {
    configMap: (namespace, name) => get(resources.configMaps, namespace, name),
    persistentVolumeClaim: (namespace, name) => get(resources.persistentVolumeClaims, namespace, name),
    persistentVolume: (name) => get(resources.persistentVolumes, undefined, name),
    secret: (namespace, name) => get(resources.secrets, namespace, name),
    referencedBy: async (pod, container) => {
      const { namespace = "default" } = pod.metadata ?? {};
      const names = referencedObjects(container);
      const [known, configMaps, secrets] = await Promise.all([
        services(),
        getAll(resources.configMaps, namespace, names.configMaps),
        getAll(resources.secrets, namespace, names.secrets),
      ]);
      return { services: known, configMaps, secrets };
    },
  };
}
