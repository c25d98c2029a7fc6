/** The names under which clients reach the built-in resources, tied to their types. */
import type * as types from "./generated/types.ts";
import type { KubernetesObject, Resource } from "./object.ts";

function namespaced<T extends KubernetesObject>(
  group: string,
  version: string,
  plural: string,
  kind: string,
): Resource<T> {
  return { group, version, plural, kind, isNamespaced: true };
}

function clusterScoped<T extends KubernetesObject>(
  group: string,
  version: string,
  plural: string,
  kind: string,
): Resource<T> {
  return { group, version, plural, kind, isNamespaced: false };
}

export const resources = {
  pods: namespaced<types.Pod>("", "v1", "pods", "Pod"),
  services: namespaced<types.Service>("", "v1", "services", "Service"),
  endpoints: namespaced<types.Endpoints>("", "v1", "endpoints", "Endpoints"),
  configMaps: namespaced<types.ConfigMap>("", "v1", "configmaps", "ConfigMap"),
  secrets: namespaced<types.Secret>("", "v1", "secrets", "Secret"),
  serviceAccounts: namespaced<types.ServiceAccount>("", "v1", "serviceaccounts", "ServiceAccount"),
  events: namespaced<types.CoreV1Event>("", "v1", "events", "Event"),
  eventsV1: namespaced<types.EventsV1Event>("events.k8s.io", "v1", "events", "Event"),
  nodes: clusterScoped<types.Node>("", "v1", "nodes", "Node"),
  namespaces: clusterScoped<types.Namespace>("", "v1", "namespaces", "Namespace"),
  deployments: namespaced<types.Deployment>("apps", "v1", "deployments", "Deployment"),
  replicaSets: namespaced<types.ReplicaSet>("apps", "v1", "replicasets", "ReplicaSet"),
  endpointSlices: namespaced<types.EndpointSlice>("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice"),
  leases: namespaced<types.Lease>("coordination.k8s.io", "v1", "leases", "Lease"),
} as const;
