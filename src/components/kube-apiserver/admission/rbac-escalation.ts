/** Nobody gives away rights that they do not hold themselves: the check on roles and bindings. */
import type { ClusterRole, PolicyRule, RoleBinding } from "../../../api/generated/types.ts";
import { quoted } from "../../../api/go-text.ts";
import { forbidden, notFound } from "../../../api/status.ts";
import { isJsonEqual } from "../../../lib/equal/index.ts";
import { compactRules, goList, missingRules, ruleText } from "../../../model/rbac/index.ts";
import type { ObjectStore } from "../../../storage/index.ts";
import { rulesOfRole, superuserGroup } from "../authorization/index.ts";
import type { Authorizer } from "../authorization/index.ts";
import type { User } from "../user.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";

const group = "rbac.authorization.k8s.io";
const everything: readonly PolicyRule[] = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
  { verbs: ["*"], nonResourceURLs: ["*"] },
];

export function rbacEscalation(store: ObjectStore, authorizer: Authorizer): AdmissionPlugin {
  const may = (user: User, verb: string, target: { resource: string; namespace: string; name: string }): boolean =>
    authorizer.decide(user, { verb, resource: { group, subresource: "", ...target } }).isAllowed;

  const refuseEscalation = (request: AdmissionRequest, wanted: readonly PolicyRule[], why?: string): void => {
    const { user, namespace, name, definition } = request;
    const { rules, incomplete } = authorizer.rulesFor(user, namespace);
    const missing = missingRules(rules, wanted);
    if (missing.length === 0) return;
    throw forbidden({ group, name: definition.plural }, name, why ?? escalationText(user, missing, incomplete));
  };

  const checkRole = (request: AdmissionRequest): void => {
    const role = request.object as ClusterRole;
    const old: ClusterRole | undefined = request.old;
    const isSame =
      isJsonEqual(role.rules ?? [], old?.rules ?? []) && isJsonEqual(role.aggregationRule, old?.aggregationRule);
    if (old !== undefined && isSame) return;
    const { user, namespace, definition } = request;
    // What is created has no name yet in the words of authorization.
    const name = request.operation === "CREATE" ? "" : request.name;
    if (may(user, "escalate", { resource: definition.plural, namespace, name })) return;
    refuseEscalation(request, role.rules ?? []);
    if (role.aggregationRule === undefined) return;
    refuseEscalation(request, everything, "must have cluster-admin privileges to use an aggregationRule");
  };

  const checkBinding = (request: AdmissionRequest): void => {
    const binding = request.object as RoleBinding;
    const old = request.old as RoleBinding | undefined;
    const { roleRef, subjects } = binding;
    if (old !== undefined && isJsonEqual(roleRef, old.roleRef) && isJsonEqual(subjects, old.subjects)) return;
    const { user, namespace } = request;
    const resource = roleRef.kind === "ClusterRole" ? "clusterroles" : "roles";
    if (may(user, "bind", { resource, namespace, name: roleRef.name })) return;
    const rules = rulesOfRole(store, roleRef, namespace);
    if (rules === undefined) throw notFound({ group, name: resource }, roleRef.name);
    refuseEscalation(request, rules);
  };

  return {
    name: "RBACEscalation",
    validate: (request) => {
      const { definition, operation, user } = request;
      const isWrite = operation === "CREATE" || operation === "UPDATE";
      if (definition.group !== group || !isWrite || user.groups.includes(superuserGroup)) return;
      if (definition.plural.endsWith("bindings")) checkBinding(request);
      else checkRole(request);
    },
  };
}

function escalationText(user: User, missing: readonly PolicyRule[], incomplete: string | undefined): string {
  const lines = compactRules(missing).map(ruleText).toSorted();
  const gaps = incomplete === undefined ? "" : `; resolution errors: [${incomplete}]`;
  const who = `user ${quoted(user.name)} (groups=${goList(user.groups)})`;
  return `${who} is attempting to grant RBAC permissions not currently held:\n${lines.join("\n")}${gaps}`;
}
