/** The roles that administrators hand out: cluster-admin, admin, edit, view, each made of what the smaller one may. */
import type { ClusterRole } from "../../../../api/generated/types.ts";
import { pathRule, read, role, rule, write } from "./notation.ts";

/** Roles with this label, first or users' own, become a part of the named one. */
const partOf = (whole: string): Readonly<Record<string, string>> => ({
  [`rbac.authorization.k8s.io/aggregate-to-${whole}`]: "true",
});

function aggregated(name: string, labels: Readonly<Record<string, string>> = {}): ClusterRole {
  return { ...role(name, [], labels), aggregationRule: { clusterRoleSelectors: [{ matchLabels: partOf(name) }] } };
}

const everything = `${read} ${write}`;
const extensionsWritten =
  "daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale";
const extensionsRead =
  "daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale";

export const userRoles: readonly ClusterRole[] = [
  role("cluster-admin", [rule("*", "*", "*"), pathRule("*", "*")]),
  aggregated("admin"),
  aggregated("edit", partOf("admin")),
  aggregated("view", partOf("edit")),
  role(
    "system:aggregate-to-admin",
    [
      rule("create", "authorization.k8s.io", "localsubjectaccessreviews"),
      rule(everything, "rbac.authorization.k8s.io", "rolebindings roles"),
    ],
    partOf("admin"),
  ),
  role(
    "system:aggregate-to-edit",
    [
      // Reading these is a way to more rights.
      rule(read, "core", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy"),
      rule("impersonate", "core", "serviceaccounts"),
      rule(write, "core", "pods pods/attach pods/exec pods/portforward pods/proxy"),
      rule("create", "core", "pods/eviction"),
      rule(
        write,
        "core",
        "configmaps persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy",
      ),
      rule("create", "core", "serviceaccounts/token"),
      rule(write, "core events.k8s.io", "events"),
      rule(
        write,
        "apps",
        "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale",
      ),
      rule(write, "autoscaling", "horizontalpodautoscalers"),
      rule(write, "batch", "cronjobs jobs"),
      rule(write, "extensions", extensionsWritten),
      rule(write, "policy", "poddisruptionbudgets"),
      rule(write, "networking.k8s.io", "ingresses networkpolicies"),
      rule(everything, "coordination.k8s.io", "leases"),
      rule(write, "resource.k8s.io", "resourceclaims resourceclaimtemplates"),
    ],
    partOf("edit"),
  ),
  role(
    "system:aggregate-to-view",
    [
      rule(
        read,
        "core",
        "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status",
      ),
      rule(
        read,
        "core",
        "bindings limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status",
      ),
      // In a namespace, this is the namespace itself.
      rule(read, "core", "namespaces"),
      rule(read, "core events.k8s.io", "events"),
      rule(read, "discovery.k8s.io", "endpointslices"),
      rule(
        read,
        "apps",
        "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status",
      ),
      rule(read, "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
      rule(read, "batch", "cronjobs cronjobs/status jobs jobs/status"),
      rule(read, "extensions", extensionsRead),
      rule(read, "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
      rule(read, "networking.k8s.io", "ingresses ingresses/status networkpolicies"),
      rule(read, "resource.k8s.io", "resourceclaims resourceclaims/status resourceclaimtemplates"),
    ],
    partOf("view"),
  ),
];
