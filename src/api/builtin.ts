/** Every resource that netloom serves, in the order of discovery. */
import { controllerRevisions } from "./apps/controller-revision.ts";
import { daemonSets } from "./apps/daemon-set.ts";
import { deployments } from "./apps/deployment.ts";
import { replicaSets } from "./apps/replica-set.ts";
import { statefulSets } from "./apps/stateful-set.ts";
import { selfSubjectReviews, tokenReviews } from "./authentication/reviews.ts";
import {
  localSubjectAccessReviews,
  selfSubjectAccessReviews,
  selfSubjectRulesReviews,
  subjectAccessReviews,
} from "./authorization/reviews.ts";
import { horizontalPodAutoscalers, horizontalPodAutoscalersV1 } from "./autoscaling/horizontal-pod-autoscaler.ts";
import { cronJobs } from "./batch/cron-job.ts";
import { jobs } from "./batch/job.ts";
import { certificateSigningRequests } from "./certificates/certificate-signing-request.ts";
import { leases } from "./coordination/lease.ts";
import { configMaps, secrets, serviceAccounts } from "./core/config.ts";
import { endpoints } from "./core/endpoints.ts";
import { namespaces } from "./core/namespace.ts";
import { nodes } from "./core/node.ts";
import { podTemplates, replicationControllers } from "./core/pod-sources.ts";
import { bindings, pods } from "./core/pod.ts";
import { limitRanges, resourceQuotas } from "./core/quotas.ts";
import { services } from "./core/service.ts";
import { persistentVolumeClaims, persistentVolumes } from "./core/volumes.ts";
import { endpointSlices } from "./discovery/endpoint-slice.ts";
import { events, eventsV1 } from "./events/event.ts";
import { flowSchemas } from "./flowcontrol/flow-schema.ts";
import { priorityLevelConfigurations } from "./flowcontrol/priority-level.ts";
import { ingressClasses, ingresses } from "./networking/ingress.ts";
import { networkPolicies } from "./networking/network-policy.ts";
import { ipAddresses, serviceCidrs } from "./networking/service-cidr.ts";
import { runtimeClasses } from "./node/runtime-class.ts";
import { cronJobsV1beta1 } from "./old/cron-job.ts";
import { extensionsDeployments } from "./old/deployment.ts";
import { extensionsIngresses, ingressesV1beta1 } from "./old/ingress.ts";
import { podDisruptionBudgets } from "./policy/pod-disruption-budget.ts";
import { clusterRoleBindings, clusterRoles, roleBindings, roles } from "./rbac/rbac.ts";
import { createRegistry } from "./registry/index.ts";
import type { Registry, ResourceDefinition } from "./registry/index.ts";
import { priorityClasses } from "./scheduling/priority-class.ts";
import { csiDrivers, csiNodes, csiStorageCapacities, storageClasses, volumeAttachments } from "./storage/storage.ts";
import { volumeAttributesClasses } from "./storage/volume-attributes-class.ts";

/** The built-in kinds. Build it once and hand it on. */
export function builtinResources(): Registry {
  return createRegistry(definitions);
}

/** Groups in upstream's order of priority: a bare plural such as `events` means the first group that has it. */
const definitions: readonly ResourceDefinition[] = [
  configMaps,
  endpoints,
  events,
  limitRanges,
  namespaces,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  bindings,
  podTemplates,
  replicationControllers,
  resourceQuotas,
  secrets,
  serviceAccounts,
  services,
  controllerRevisions,
  daemonSets,
  deployments,
  replicaSets,
  statefulSets,
  eventsV1,
  selfSubjectReviews,
  tokenReviews,
  localSubjectAccessReviews,
  selfSubjectAccessReviews,
  selfSubjectRulesReviews,
  subjectAccessReviews,
  horizontalPodAutoscalers,
  horizontalPodAutoscalersV1,
  cronJobs,
  jobs,
  certificateSigningRequests,
  ingressClasses,
  ingresses,
  ipAddresses,
  networkPolicies,
  serviceCidrs,
  podDisruptionBudgets,
  clusterRoleBindings,
  clusterRoles,
  roleBindings,
  roles,
  csiDrivers,
  csiNodes,
  csiStorageCapacities,
  storageClasses,
  volumeAttachments,
  volumeAttributesClasses,
  priorityClasses,
  leases,
  runtimeClasses,
  endpointSlices,
  flowSchemas,
  priorityLevelConfigurations,
  ingressesV1beta1,
  extensionsDeployments,
  cronJobsV1beta1,
  extensionsIngresses,
];
