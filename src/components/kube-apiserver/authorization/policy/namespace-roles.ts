/** The first roles that count in one namespace only. */
import type { Role, RoleBinding, PolicyRule, RbacV1Subject } from "../../../../api/generated/types.ts";
import { firstMetadata, rbacGroup, read, rule, tellsEvents, toAccount, toUser } from "./notation.ts";

const controllerManager = "system:kube-controller-manager";
const scheduler = "system:kube-scheduler";
const signer = "system:controller:bootstrap-signer";
const system = "kube-system";
const open = "kube-public";

function roleIn(namespace: string, name: string, rules: readonly PolicyRule[]): Role {
  return { metadata: { ...firstMetadata, name, namespace }, rules };
}

function bindingIn(
  namespace: string,
  { name, role }: { readonly name: string; readonly role: string },
  subjects: readonly RbacV1Subject[],
): RoleBinding {
  const roleRef = { apiGroup: rbacGroup, kind: "Role", name: role };
  return { metadata: { ...firstMetadata, name, namespace }, roleRef, subjects };
}

const same = (name: string): { readonly name: string; readonly role: string } => ({ name, role: name });
const locking = (component: string): string => `system::leader-locking-${component}`;
const lockRules: readonly PolicyRule[] = [
  rule(`create ${read} update`, "coordination.k8s.io", "leases"),
  rule(`create ${read} update`, "coordination.k8s.io", "leasecandidates"),
];

export const namespaceRoles: readonly Role[] = [
  roleIn(system, "extension-apiserver-authentication-reader", [
    rule(read, "core", "configmaps", "extension-apiserver-authentication"),
  ]),
  roleIn(system, signer, [rule(read, "core", "secrets")]),
  roleIn(system, "system:controller:cloud-provider", [rule(`create ${read}`, "core", "configmaps")]),
  roleIn(system, "system:controller:token-cleaner", [rule(`delete ${read}`, "core", "secrets"), tellsEvents]),
  roleIn(system, locking("kube-controller-manager"), lockRules),
  roleIn(system, locking("kube-scheduler"), lockRules),
  roleIn(open, signer, [
    rule(read, "core", "configmaps"),
    rule("update", "core", "configmaps", "cluster-info"),
    tellsEvents,
  ]),
];

export const namespaceBindings: readonly RoleBinding[] = [
  bindingIn(
    system,
    { name: "system::extension-apiserver-authentication-reader", role: "extension-apiserver-authentication-reader" },
    [toUser(controllerManager), toUser(scheduler)],
  ),
  bindingIn(system, same(locking("kube-controller-manager")), [
    toUser(controllerManager),
    toAccount("kube-controller-manager"),
    toAccount("leader-election-controller"),
  ]),
  bindingIn(system, same(locking("kube-scheduler")), [toUser(scheduler), toAccount("kube-scheduler")]),
  bindingIn(system, same(signer), [toAccount("bootstrap-signer")]),
  bindingIn(system, same("system:controller:cloud-provider"), [toAccount("cloud-provider")]),
  bindingIn(system, same("system:controller:token-cleaner"), [toAccount("token-cleaner")]),
  bindingIn(open, same(signer), [toAccount("bootstrap-signer")]),
];
