/** One role per controller; each acts under a service account of its own in kube-system. */
import type { ClusterRole, PolicyRule } from "../../../../api/generated/types.ts";
import { read, role, rule, tellsEvents } from "./notation.ts";

const prefix = "system:controller:";
const appGroups = "apps extensions";
const certificates = "certificates.k8s.io";
const dynamic = "resource.k8s.io";
const networking = "networking.k8s.io";
const rbac = "rbac.authorization.k8s.io";
const storage = "storage.k8s.io";

/** By the name of the controller's service account. */
const rules: Readonly<Record<string, readonly PolicyRule[]>> = {
  "attachdetach-controller": [
    rule("list watch", "core", "persistentvolumeclaims persistentvolumes"),
    rule(read, "core", "nodes"),
    rule("patch update", "core", "nodes/status"),
    rule("list watch", "core", "pods"),
    tellsEvents,
    rule(`create delete ${read}`, storage, "volumeattachments"),
    rule(read, storage, "csidrivers"),
    rule(read, storage, "csinodes"),
  ],
  "clusterrole-aggregation-controller": [rule(`escalate ${read} patch update`, rbac, "clusterroles")],
  "cronjob-controller": [
    rule(`${read} update`, "batch", "cronjobs"),
    rule(`create delete ${read} patch update`, "batch", "jobs"),
    rule("update", "batch", "cronjobs/status"),
    rule("update", "batch", "cronjobs/finalizers"),
    rule("delete list watch", "core", "pods"),
    tellsEvents,
  ],
  "daemon-set-controller": [
    rule(read, appGroups, "daemonsets"),
    rule("update", appGroups, "daemonsets/status"),
    rule("update", appGroups, "daemonsets/finalizers"),
    rule("list watch", "core", "nodes"),
    rule("create delete list patch watch", "core", "pods"),
    rule("create", "core", "pods/binding"),
    rule(`create delete ${read} patch update`, "apps", "controllerrevisions"),
    tellsEvents,
  ],
  "deployment-controller": [
    rule(`${read} update`, appGroups, "deployments"),
    rule("update", appGroups, "deployments/status"),
    rule("update", appGroups, "deployments/finalizers"),
    rule(`create delete ${read} patch update`, appGroups, "replicasets"),
    rule(`${read} update`, "core", "pods"),
    tellsEvents,
  ],
  "disruption-controller": [
    rule(read, appGroups, "deployments"),
    rule(read, appGroups, "replicasets"),
    rule(read, "core", "replicationcontrollers"),
    rule(read, "policy", "poddisruptionbudgets"),
    rule(read, "apps", "statefulsets"),
    rule("update", "policy", "poddisruptionbudgets/status"),
    rule("patch update", "core", "pods/status"),
    rule("get", "*", "*/scale"),
    tellsEvents,
  ],
  "endpoint-controller": [
    rule(read, "core", "pods services"),
    rule(`create delete ${read} update`, "core", "endpoints"),
    rule("create", "core", "endpoints/restricted"),
    tellsEvents,
  ],
  "endpointslice-controller": [
    rule(read, "core", "nodes pods services"),
    rule("update", "core", "services/finalizers"),
    rule(`create delete ${read} update`, "discovery.k8s.io", "endpointslices"),
    tellsEvents,
  ],
  "endpointslicemirroring-controller": [
    rule(read, "core", "endpoints services"),
    rule("update", "core", "services/finalizers"),
    rule("update", "core", "endpoints/finalizers"),
    rule(`create delete ${read} update`, "discovery.k8s.io", "endpointslices"),
    tellsEvents,
  ],
  "ephemeral-volume-controller": [
    rule(read, "core", "pods"),
    rule("update", "core", "pods/finalizers"),
    rule(`create ${read}`, "core", "persistentvolumeclaims"),
    tellsEvents,
  ],
  "expand-controller": [
    rule(`${read} patch update`, "core", "persistentvolumes"),
    rule("patch update", "core", "persistentvolumeclaims/status"),
    rule(read, "core", "persistentvolumeclaims"),
    tellsEvents,
    rule("get", "core", "services"),
  ],
  "generic-garbage-collector": [rule(`delete ${read} patch update`, "*", "*"), tellsEvents],
  "horizontal-pod-autoscaler": [
    rule(read, "autoscaling", "horizontalpodautoscalers"),
    rule("update", "autoscaling", "horizontalpodautoscalers/status"),
    rule("get update", "*", "*/scale"),
    rule("list watch", "core", "pods"),
    rule("list watch", "metrics.k8s.io", "pods"),
    rule(read, "custom.metrics.k8s.io", "*"),
    rule(read, "external.metrics.k8s.io", "*"),
    tellsEvents,
  ],
  "job-controller": [
    rule(`${read} patch update`, "batch", "jobs"),
    rule("update", "batch", "jobs/status"),
    rule("update", "batch", "jobs/finalizers"),
    rule("create delete list patch watch", "core", "pods"),
    tellsEvents,
  ],
  "namespace-controller": [
    rule(`delete ${read}`, "core", "namespaces"),
    rule("update", "core", "namespaces/finalize namespaces/status"),
    rule(`delete deletecollection ${read}`, "*", "*"),
  ],
  "node-controller": [
    rule(`delete ${read} patch update`, "core", "nodes"),
    rule("patch update", "core", "nodes/status"),
    rule("patch update", "core", "pods/status"),
    rule(`delete ${read}`, "core", "pods"),
    tellsEvents,
  ],
  "persistent-volume-binder": [
    rule(`create delete ${read} update`, "core", "persistentvolumes"),
    rule("update", "core", "persistentvolumes/status"),
    rule(`${read} update`, "core", "persistentvolumeclaims"),
    rule("update", "core", "persistentvolumeclaims/status"),
    rule(`create delete ${read}`, "core", "pods"),
    rule(read, storage, "storageclasses"),
    rule("list watch", "core", "nodes"),
    tellsEvents,
    rule("watch", "core", "events"),
    rule("get", "core", "services"),
  ],
  "pod-garbage-collector": [
    rule("delete list watch", "core", "pods"),
    rule(read, "core", "nodes"),
    rule("patch", "core", "pods/status"),
  ],
  "replicaset-controller": [
    rule(`${read} update`, appGroups, "replicasets"),
    rule("update", appGroups, "replicasets/status"),
    rule("update", appGroups, "replicasets/finalizers"),
    rule("create delete list patch watch", "core", "pods"),
    tellsEvents,
  ],
  "replication-controller": [
    rule(`${read} update`, "core", "replicationcontrollers"),
    rule("update", "core", "replicationcontrollers/status"),
    rule("update", "core", "replicationcontrollers/finalizers"),
    rule("create delete list patch watch", "core", "pods"),
    tellsEvents,
  ],
  "resource-claim-controller": [
    rule(read, "core", "pods"),
    rule("update", "core", "pods/finalizers"),
    rule(`create delete ${read}`, dynamic, "resourceclaims"),
    rule("patch update", dynamic, "resourceclaims resourceclaims/status"),
    rule("patch update", "core", "pods/status"),
    tellsEvents,
  ],
  "resourcequota-controller": [
    rule("list watch", "*", "*"),
    rule("update", "core", "resourcequotas/status"),
    tellsEvents,
  ],
  "route-controller": [rule("list watch", "core", "nodes"), rule("patch", "core", "nodes/status"), tellsEvents],
  "service-account-controller": [rule("create", "core", "serviceaccounts"), tellsEvents],
  "service-controller": [
    rule(read, "core", "services"),
    rule("patch update", "core", "services/status"),
    rule("list watch", "core", "nodes"),
    tellsEvents,
  ],
  "service-cidrs-controller": [
    rule(`${read} patch update`, networking, "servicecidrs"),
    rule("patch update", networking, "servicecidrs/finalizers"),
    rule("patch update", networking, "servicecidrs/status"),
    rule(read, networking, "ipaddresses"),
    tellsEvents,
  ],
  "statefulset-controller": [
    rule("list watch", "core", "pods"),
    rule(read, "apps", "statefulsets"),
    rule("update", "apps", "statefulsets/status"),
    rule("update", "apps", "statefulsets/finalizers"),
    rule("create delete get patch update", "core", "pods"),
    rule(`create delete ${read} patch update`, "apps", "controllerrevisions"),
    rule(`create ${read}`, "core", "persistentvolumeclaims"),
    rule("delete update", "core", "persistentvolumeclaims"),
    rule("update", "core", "pods/finalizers"),
    tellsEvents,
  ],
  "ttl-controller": [rule("list patch update watch", "core", "nodes"), tellsEvents],
  "certificate-controller": [
    rule(`delete ${read}`, certificates, "certificatesigningrequests"),
    rule("update", certificates, "certificatesigningrequests/approval certificatesigningrequests/status"),
    rule("approve", certificates, "signers", "kubernetes.io/kube-apiserver-client-kubelet"),
    rule(
      "sign",
      certificates,
      "signers",
      "kubernetes.io/kube-apiserver-client kubernetes.io/kube-apiserver-client-kubelet kubernetes.io/kubelet-serving kubernetes.io/legacy-unknown",
    ),
    rule("create", "authorization.k8s.io", "subjectaccessreviews"),
    tellsEvents,
  ],
  "pvc-protection-controller": [
    rule(`${read} update`, "core", "persistentvolumeclaims"),
    rule(read, "core", "pods"),
    tellsEvents,
  ],
  "pv-protection-controller": [rule(`${read} update`, "core", "persistentvolumes"), tellsEvents],
  "ttl-after-finished-controller": [rule(`delete ${read}`, "batch", "jobs"), tellsEvents],
  "root-ca-cert-publisher": [rule("create update", "core", "configmaps"), tellsEvents],
  "validatingadmissionpolicy-status-controller": [
    rule(read, "admissionregistration.k8s.io", "validatingadmissionpolicies"),
    rule("get patch update", "admissionregistration.k8s.io", "validatingadmissionpolicies/status"),
    tellsEvents,
  ],
  "volumeattributesclass-protection-controller": [
    rule(read, "core", "persistentvolumeclaims"),
    rule(read, "core", "persistentvolumes"),
    rule(`${read} update`, storage, "volumeattributesclasses"),
    tellsEvents,
  ],
  "selinux-warning-controller": [
    tellsEvents,
    rule(read, "core", "persistentvolumes"),
    rule(read, "core", "persistentvolumeclaims"),
    rule(read, "core", "pods"),
    rule(read, storage, "csidrivers"),
  ],
  "legacy-service-account-token-cleaner": [
    rule("get", "core", "configmaps", "kube-apiserver-legacy-service-account-token-tracking"),
    rule("delete patch", "core", "secrets"),
  ],
};

export const controllerAccounts: readonly string[] = Object.keys(rules);

export const controllerRoles: readonly ClusterRole[] = Object.entries(rules).map(([account, list]) =>
  role(`${prefix}${account}`, list),
);
