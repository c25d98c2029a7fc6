/** What the scheduler watches, with the indexes that spare it walks over all pods. */
import { resources } from "../../api/resources.ts";
import type { KubernetesObject } from "../../api/object.ts";
import type { Informers } from "../../machinery/informer/index.ts";
import { controllerOf } from "../../model/workload/index.ts";

export type SchedulerInformers = ReturnType<typeof createSchedulerInformers>;

/** The index entry of one label in one namespace. */
export function labelEntry(namespace: string, [name, value]: readonly [string, string]): string {
  return `${namespace}/${name}=${value}`;
}

const namespaceOf = ({ metadata }: KubernetesObject): string => metadata?.namespace ?? "";

export function createSchedulerInformers(all: Informers) {
  return {
    nodes: all.create({ resource: resources.nodes }),
    budgets: all.create({ resource: resources.podDisruptionBudgets }),
    claims: all.create({ resource: resources.persistentVolumeClaims }),
    volumes: all.create({ resource: resources.persistentVolumes }),
    storageClasses: all.create({ resource: resources.storageClasses }),
    namespaces: all.create({ resource: resources.namespaces }),
    pods: all.create({
      resource: resources.pods,
      indexes: {
        node: ({ spec }) => (spec?.nodeName === undefined ? [] : [spec.nodeName]),
        namespace: (pod) => [namespaceOf(pod)],
        label: (pod) => Object.entries(pod.metadata?.labels ?? {}).map((pair) => labelEntry(namespaceOf(pod), pair)),
        controller: (pod) => [controllerOf(pod)?.uid ?? ""],
        antiAffinity: ({ spec }) =>
          (spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).length > 0
            ? [""]
            : [],
      },
    }),
    services: all.create({
      resource: resources.services,
      indexes: {
        selector: (service) =>
          Object.entries(service.spec?.selector ?? {})
            .slice(0, 1)
            .map((pair) => labelEntry(namespaceOf(service), pair)),
      },
    }),
  };
}
