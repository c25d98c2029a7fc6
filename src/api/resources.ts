/** The names under which clients reach the built-in resources, tied to their types. */
import type * as types from "./generated/types.ts";
import type { KubernetesObject, Resource } from "./object.ts";
import type { OldCronJob, OldDeployment, OldIngress } from "./old/types.ts";

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
  bindings: namespaced<types.Binding>("", "v1", "bindings", "Binding"),
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
  flowSchemas: clusterScoped<types.FlowSchema>("flowcontrol.apiserver.k8s.io", "v1", "flowschemas", "FlowSchema"),
  priorityLevelConfigurations: clusterScoped<types.PriorityLevelConfiguration>(
    "flowcontrol.apiserver.k8s.io",
    "v1",
    "prioritylevelconfigurations",
    "PriorityLevelConfiguration",
  ),
  leases: namespaced<types.Lease>("coordination.k8s.io", "v1", "leases", "Lease"),
  limitRanges: namespaced<types.LimitRange>("", "v1", "limitranges", "LimitRange"),
  persistentVolumeClaims: namespaced<types.PersistentVolumeClaim>(
    "",
    "v1",
    "persistentvolumeclaims",
    "PersistentVolumeClaim",
  ),
  persistentVolumes: clusterScoped<types.PersistentVolume>("", "v1", "persistentvolumes", "PersistentVolume"),
  podTemplates: namespaced<types.PodTemplate>("", "v1", "podtemplates", "PodTemplate"),
  replicationControllers: namespaced<types.ReplicationController>(
    "",
    "v1",
    "replicationcontrollers",
    "ReplicationController",
  ),
  resourceQuotas: namespaced<types.ResourceQuota>("", "v1", "resourcequotas", "ResourceQuota"),
  controllerRevisions: namespaced<types.ControllerRevision>("apps", "v1", "controllerrevisions", "ControllerRevision"),
  daemonSets: namespaced<types.DaemonSet>("apps", "v1", "daemonsets", "DaemonSet"),
  statefulSets: namespaced<types.StatefulSet>("apps", "v1", "statefulsets", "StatefulSet"),
  horizontalPodAutoscalers: namespaced<types.V2HorizontalPodAutoscaler>(
    "autoscaling",
    "v2",
    "horizontalpodautoscalers",
    "HorizontalPodAutoscaler",
  ),
  horizontalPodAutoscalersV1: namespaced<types.HorizontalPodAutoscaler>(
    "autoscaling",
    "v1",
    "horizontalpodautoscalers",
    "HorizontalPodAutoscaler",
  ),
  cronJobs: namespaced<types.CronJob>("batch", "v1", "cronjobs", "CronJob"),
  jobs: namespaced<types.Job>("batch", "v1", "jobs", "Job"),
  certificateSigningRequests: clusterScoped<types.CertificateSigningRequest>(
    "certificates.k8s.io",
    "v1",
    "certificatesigningrequests",
    "CertificateSigningRequest",
  ),
  ingressClasses: clusterScoped<types.IngressClass>("networking.k8s.io", "v1", "ingressclasses", "IngressClass"),
  ingresses: namespaced<types.Ingress>("networking.k8s.io", "v1", "ingresses", "Ingress"),
  cronJobsV1beta1: namespaced<OldCronJob>("batch", "v1beta1", "cronjobs", "CronJob"),
  ingressesV1beta1: namespaced<OldIngress>("networking.k8s.io", "v1beta1", "ingresses", "Ingress"),
  extensionsIngresses: namespaced<OldIngress>("extensions", "v1beta1", "ingresses", "Ingress"),
  extensionsDeployments: namespaced<OldDeployment>("extensions", "v1beta1", "deployments", "Deployment"),
  ipAddresses: clusterScoped<types.IPAddress>("networking.k8s.io", "v1", "ipaddresses", "IPAddress"),
  networkPolicies: namespaced<types.NetworkPolicy>("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy"),
  serviceCidrs: clusterScoped<types.ServiceCIDR>("networking.k8s.io", "v1", "servicecidrs", "ServiceCIDR"),
  runtimeClasses: clusterScoped<types.RuntimeClass>("node.k8s.io", "v1", "runtimeclasses", "RuntimeClass"),
  podDisruptionBudgets: namespaced<types.PodDisruptionBudget>(
    "policy",
    "v1",
    "poddisruptionbudgets",
    "PodDisruptionBudget",
  ),
  clusterRoleBindings: clusterScoped<types.ClusterRoleBinding>(
    "rbac.authorization.k8s.io",
    "v1",
    "clusterrolebindings",
    "ClusterRoleBinding",
  ),
  clusterRoles: clusterScoped<types.ClusterRole>("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole"),
  roleBindings: namespaced<types.RoleBinding>("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding"),
  roles: namespaced<types.Role>("rbac.authorization.k8s.io", "v1", "roles", "Role"),
  priorityClasses: clusterScoped<types.PriorityClass>("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass"),
  csiDrivers: clusterScoped<types.CSIDriver>("storage.k8s.io", "v1", "csidrivers", "CSIDriver"),
  csiNodes: clusterScoped<types.CSINode>("storage.k8s.io", "v1", "csinodes", "CSINode"),
  csiStorageCapacities: namespaced<types.CSIStorageCapacity>(
    "storage.k8s.io",
    "v1",
    "csistoragecapacities",
    "CSIStorageCapacity",
  ),
  storageClasses: clusterScoped<types.StorageClass>("storage.k8s.io", "v1", "storageclasses", "StorageClass"),
  volumeAttachments: clusterScoped<types.VolumeAttachment>(
    "storage.k8s.io",
    "v1",
    "volumeattachments",
    "VolumeAttachment",
  ),
  volumeAttributesClasses: clusterScoped<types.VolumeAttributesClass>(
    "storage.k8s.io",
    "v1",
    "volumeattributesclasses",
    "VolumeAttributesClass",
  ),
} as const;

/** Questions that are answered and not stored: they can be created, and nothing else. */
export const reviews = {
  selfSubjectReviews: clusterScoped<types.SelfSubjectReview>(
    "authentication.k8s.io",
    "v1",
    "selfsubjectreviews",
    "SelfSubjectReview",
  ),
  tokenReviews: clusterScoped<types.TokenReview>("authentication.k8s.io", "v1", "tokenreviews", "TokenReview"),
  localSubjectAccessReviews: namespaced<types.LocalSubjectAccessReview>(
    "authorization.k8s.io",
    "v1",
    "localsubjectaccessreviews",
    "LocalSubjectAccessReview",
  ),
  selfSubjectAccessReviews: clusterScoped<types.SelfSubjectAccessReview>(
    "authorization.k8s.io",
    "v1",
    "selfsubjectaccessreviews",
    "SelfSubjectAccessReview",
  ),
  selfSubjectRulesReviews: clusterScoped<types.SelfSubjectRulesReview>(
    "authorization.k8s.io",
    "v1",
    "selfsubjectrulesreviews",
    "SelfSubjectRulesReview",
  ),
  subjectAccessReviews: clusterScoped<types.SubjectAccessReview>(
    "authorization.k8s.io",
    "v1",
    "subjectaccessreviews",
    "SubjectAccessReview",
  ),
} as const;
