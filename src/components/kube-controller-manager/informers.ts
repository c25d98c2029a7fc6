/** The informers that controllers share, with the indexes that spare them walks over all objects. */
import { resources } from "../../api/resources.ts";
import type { KubernetesObject, Resource } from "../../api/object.ts";
import type { ApiClient } from "../../client/index.ts";
import type { Clock } from "../../machinery/clock.ts";
import { createInformers } from "../../machinery/informer/index.ts";
import type { Informer, Informers } from "../../machinery/informer/index.ts";
import type { Logger } from "../../machinery/log.ts";
import { controllerOf } from "../../model/workload/index.ts";
import { serviceNameLabel } from "../../model/endpoints/index.ts";

export type SharedInformers = ReturnType<typeof createSharedInformers>;

/** Any informer: found by the uid of an owner. */
export type OwnedInformer = Informer<KubernetesObject, "owner">;

const owner = (object: KubernetesObject): readonly string[] =>
  (object.metadata?.ownerReferences ?? []).map(({ uid }) => uid);
const namespace = ({ metadata }: KubernetesObject): readonly string[] => [metadata?.namespace ?? ""];
/** By namespace, those that no controller owns: candidates for adoption. */
const orphan = (object: KubernetesObject): readonly string[] =>
  controllerOf(object) === undefined ? namespace(object) : [];

/** The index entry of one label in one namespace. */
export function labelEntry(namespaceName: string, [name, value]: readonly [string, string]): string {
  return `${namespaceName}/${name}=${value}`;
}

const label = ({ metadata }: KubernetesObject): readonly string[] =>
  Object.entries(metadata?.labels ?? {}).map((pair) => labelEntry(metadata?.namespace ?? "", pair));

export function createSharedInformers(
  shared: { readonly source: ApiClient; readonly clock: Clock; readonly log: Logger },
  deletableResources: readonly Resource<KubernetesObject>[],
) {
  const all: Informers = createInformers(shared);
  const typed = {
    pods: all.create({
      resource: resources.pods,
      indexes: {
        owner,
        namespace,
        orphan,
        label,
        node: ({ spec }) => (spec?.nodeName === undefined ? [] : [spec.nodeName]),
      },
    }),
    services: all.create({
      resource: resources.services,
      indexes: {
        owner,
        // Under one label of the selector: a pod that matches has that one too.
        selector: ({ metadata, spec }) =>
          Object.entries(spec?.selector ?? {})
            .slice(0, 1)
            .map((pair) => labelEntry(metadata?.namespace ?? "", pair)),
      },
    }),
    endpoints: all.create({ resource: resources.endpoints, indexes: { owner } }),
    endpointSlices: all.create({
      resource: resources.endpointSlices,
      indexes: {
        owner,
        service: ({ metadata }) => {
          const name = metadata?.labels?.[serviceNameLabel];
          return name === undefined ? [] : [`${metadata?.namespace ?? ""}/${name}`];
        },
      },
    }),
    serviceCidrs: all.create({ resource: resources.serviceCidrs, indexes: { owner } }),
    ipAddresses: all.create({ resource: resources.ipAddresses, indexes: { owner } }),
    nodes: all.create({ resource: resources.nodes, indexes: { owner } }),
    leases: all.create({ resource: resources.leases, indexes: { owner } }),
    namespaces: all.create({ resource: resources.namespaces, indexes: { owner } }),
    serviceAccounts: all.create({ resource: resources.serviceAccounts, indexes: { owner } }),
    configMaps: all.create({ resource: resources.configMaps, indexes: { owner } }),
    deployments: all.create({ resource: resources.deployments, indexes: { owner, namespace } }),
    replicaSets: all.create({ resource: resources.replicaSets, indexes: { owner, namespace, orphan } }),
    budgets: all.create({ resource: resources.podDisruptionBudgets, indexes: { owner, namespace } }),
    quotas: all.create({ resource: resources.resourceQuotas, indexes: { owner, namespace } }),
    clusterRoles: all.create({ resource: resources.clusterRoles, indexes: { owner } }),
    certificateRequests: all.create({ resource: resources.certificateSigningRequests, indexes: { owner } }),
    replicationControllers: all.create({ resource: resources.replicationControllers, indexes: { owner, namespace } }),
    statefulSets: all.create({ resource: resources.statefulSets, indexes: { owner, namespace } }),
    daemonSets: all.create({ resource: resources.daemonSets, indexes: { owner, namespace } }),
    controllerRevisions: all.create({
      resource: resources.controllerRevisions,
      indexes: { owner, namespace, orphan },
    }),
    jobs: all.create({ resource: resources.jobs, indexes: { owner, namespace, orphan } }),
    cronJobs: all.create({ resource: resources.cronJobs, indexes: { owner } }),
    persistentVolumeClaims: all.create({ resource: resources.persistentVolumeClaims, indexes: { owner } }),
    persistentVolumes: all.create({ resource: resources.persistentVolumes, indexes: { owner } }),
    storageClasses: all.create({ resource: resources.storageClasses, indexes: { owner } }),
    volumeAttributesClasses: all.create({ resource: resources.volumeAttributesClasses, indexes: { owner } }),
  };
  const known = new Map<string, OwnedInformer>(
    Object.values(typed).map((informer) => [resourceId(informer.resource), informer as unknown as OwnedInformer]),
  );
  for (const resource of deletableResources) {
    const id = resourceId(resource);
    // Events are many, own nothing, are owned by nothing and expire by themselves.
    if (known.has(id) || resource.plural === "events") continue;
    known.set(id, all.create({ resource, indexes: { owner } }));
  }
  return { ...typed, all, byResource: known as ReadonlyMap<string, OwnedInformer> };
}

/** "pods", "deployments.apps". */
export function resourceId({ group, plural }: Pick<Resource<KubernetesObject>, "group" | "plural">): string {
  return group === "" ? plural : `${plural}.${group}`;
}
