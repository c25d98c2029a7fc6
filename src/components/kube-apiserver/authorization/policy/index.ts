/** The roles and bindings every cluster has from its first moment: upstream's. */
import type { ClusterRole, ClusterRoleBinding, RbacV1Subject } from "../../../../api/generated/types.ts";
import { aggregatedRules } from "../../../../model/rbac/index.ts";
import { controllerAccounts, controllerRoles } from "./controller-roles.ts";
import { firstMetadata, rbacGroup, toAccount, toGroup, toUser } from "./notation.ts";
import { systemRoles } from "./system-roles.ts";
import { userRoles } from "./user-roles.ts";

export { namespaceBindings, namespaceRoles } from "./namespace-roles.ts";
export { nodeRules } from "./node-rules.ts";

function binding(name: string, subjects: readonly RbacV1Subject[], role = name): ClusterRoleBinding {
  const roleRef = { apiGroup: rbacGroup, kind: "ClusterRole", name: role };
  return { metadata: { ...firstMetadata, name }, roleRef, ...(subjects.length === 0 ? {} : { subjects }) };
}

const everyone = toGroup("system:authenticated");
const strangers = toGroup("system:unauthenticated");

/** Aggregated roles are whole from the start: nobody waits for a controller to read what is written here. */
export function firstClusterRoles(): readonly ClusterRole[] {
  const all = [...userRoles, ...systemRoles, ...controllerRoles];
  const whole = new Map(all.map((role) => [role.metadata?.name ?? "", role]));
  // The smaller first: admin is made of edit, edit of view.
  for (const name of ["view", "edit", "admin"]) {
    const role = whole.get(name);
    if (role !== undefined) whole.set(name, { ...role, rules: aggregatedRules(role, [...whole.values()]) });
  }
  return [...whole.values()];
}

export const firstClusterBindings: readonly ClusterRoleBinding[] = [
  binding("cluster-admin", [toGroup("system:masters")]),
  binding("system:monitoring", [toGroup("system:monitoring")]),
  binding("system:discovery", [everyone]),
  binding("system:basic-user", [everyone]),
  binding("system:public-info-viewer", [everyone, strangers]),
  binding("system:node-proxier", [toUser("system:kube-proxy")]),
  binding("system:kube-controller-manager", [toUser("system:kube-controller-manager")]),
  binding("system:kube-dns", [toAccount("kube-dns")]),
  binding("system:kube-scheduler", [toUser("system:kube-scheduler")]),
  binding("system:volume-scheduler", [toUser("system:kube-scheduler")]),
  // Nodes get their rights from the node authorizer, so nobody has this role.
  binding("system:node", []),
  binding("system:service-account-issuer-discovery", [toGroup("system:serviceaccounts")]),
  // As set-up tools do: nodes may renew their own client certificates.
  binding(
    "kubeadm:node-autoapprove-certificate-rotation",
    [toGroup("system:nodes")],
    "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
  ),
  ...controllerAccounts.map((account) => binding(`system:controller:${account}`, [toAccount(account)])),
];
