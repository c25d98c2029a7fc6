/** Enumerated values and defaults of fields, which upstream's Go types carry as markers and the client's models lack. */

interface FieldValues {
  readonly enum?: readonly string[];
  readonly default?: unknown;
}

const protocols = ["SCTP", "TCP", "UDP"];
const pullPolicies = ["Always", "IfNotPresent", "Never"];
const messagePolicies = ["FallbackToLogsOnError", "File"];
const unsatisfiable = ["DoNotSchedule", "ScheduleAnyway"];
const container: Readonly<Record<string, FieldValues>> = {
  imagePullPolicy: { enum: pullPolicies },
  resources: { default: {} },
  terminationMessagePolicy: { enum: messagePolicies },
};

/** Type -> field -> values; types as in `generated/definitions.ts`. */
export const fieldValues: Readonly<Record<string, Readonly<Record<string, FieldValues>>>> = {
  Container: container,
  ContainerPort: { protocol: { enum: protocols, default: "TCP" } },
  ConfigMapEnvSource: { name: { default: "" } },
  ConfigMapKeySelector: { name: { default: "" } },
  CronJobSpec: { concurrencyPolicy: { enum: ["Allow", "Forbid", "Replace"] }, jobTemplate: { default: {} } },
  DaemonSet: { metadata: { default: {} }, spec: { default: {} }, status: { default: {} } },
  DaemonSetUpdateStrategy: { type: { enum: ["OnDelete", "RollingUpdate"] } },
  Deployment: { metadata: { default: {} }, spec: { default: {} }, status: { default: {} } },
  DeploymentSpec: { strategy: { default: {} }, template: { default: {} } },
  DeploymentStrategy: { type: { enum: ["Recreate", "RollingUpdate"] } },
  EndpointSlice: { addressType: { enum: ["FQDN", "IPv4", "IPv6"] } },
  EphemeralContainer: container,
  HTTPGetAction: { scheme: { enum: ["HTTP", "HTTPS"] } },
  HTTPIngressPath: { pathType: { enum: ["Exact", "ImplementationSpecific", "Prefix"] } },
  HostPathVolumeSource: {
    type: {
      enum: ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"],
    },
  },
  JobSpec: { completionMode: { enum: ["Indexed", "NonIndexed"] }, template: { default: {} } },
  LocalObjectReference: { name: { default: "" } },
  NetworkPolicyPort: { protocol: { enum: protocols } },
  NodeSelectorRequirement: { operator: { enum: ["DoesNotExist", "Exists", "Gt", "In", "Lt", "NotIn"] } },
  PersistentVolumeClaimSpec: { volumeMode: { enum: ["Block", "Filesystem"] }, resources: { default: {} } },
  PersistentVolumeSpec: {
    persistentVolumeReclaimPolicy: { enum: ["Delete", "Recycle", "Retain"] },
    volumeMode: { enum: ["Block", "Filesystem"] },
  },
  Pod: { metadata: { default: {} }, spec: { default: {} }, status: { default: {} } },
  PodSecurityContext: { fsGroupChangePolicy: { enum: ["Always", "OnRootMismatch"] } },
  PodSpec: {
    dnsPolicy: { enum: ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"] },
    preemptionPolicy: { enum: ["Never", "PreemptLowerPriority"] },
    restartPolicy: { enum: ["Always", "Never", "OnFailure"] },
  },
  PodStatus: {
    phase: { enum: ["Failed", "Pending", "Running", "Succeeded", "Unknown"] },
    qosClass: { enum: ["BestEffort", "Burstable", "Guaranteed"] },
  },
  PodTemplateSpec: { metadata: { default: {} }, spec: { default: {} } },
  PriorityClass: { preemptionPolicy: { enum: ["Never", "PreemptLowerPriority"] } },
  SeccompProfile: { type: { enum: ["Localhost", "RuntimeDefault", "Unconfined"] } },
  SecretEnvSource: { name: { default: "" } },
  SecretKeySelector: { name: { default: "" } },
  SecurityContext: { procMount: { enum: ["Default", "Unmasked"] } },
  Service: { metadata: { default: {} }, spec: { default: {} }, status: { default: {} } },
  ServicePort: { protocol: { enum: protocols, default: "TCP" }, targetPort: { default: 0 } },
  ServiceSpec: {
    externalTrafficPolicy: { enum: ["Cluster", "Local"] },
    internalTrafficPolicy: { enum: ["Cluster", "Local"] },
    ipFamilyPolicy: { enum: ["PreferDualStack", "RequireDualStack", "SingleStack"] },
    sessionAffinity: { enum: ["ClientIP", "None"] },
    type: { enum: ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"] },
  },
  StatefulSetSpec: { podManagementPolicy: { enum: ["OrderedReady", "Parallel"] }, template: { default: {} } },
  StorageClass: {
    reclaimPolicy: { enum: ["Delete", "Recycle", "Retain"] },
    volumeBindingMode: { enum: ["Immediate", "WaitForFirstConsumer"] },
  },
  Taint: { effect: { enum: ["NoExecute", "NoSchedule", "PreferNoSchedule"] } },
  Toleration: {
    effect: { enum: ["NoExecute", "NoSchedule", "PreferNoSchedule"] },
    operator: { enum: ["Equal", "Exists"] },
  },
  TopologySpreadConstraint: { whenUnsatisfiable: { enum: unsatisfiable } },
};
