/** What roles and bindings in the store allow. */
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from "../../../api/generated/types.ts";
import { type RbacRequest, ruleAllows, subjectMatches } from "../../../model/rbac/index.ts";
import type { ObjectStore } from "../../../storage/index.ts";
import type { User } from "../user.ts";
import type { Attributes, Authorizer } from "./authorizer.ts";

/** Storage names, see `StoreKey`. */
const group = "rbac.authorization.k8s.io";
const stored = {
  roles: `roles.${group}`,
  roleBindings: `rolebindings.${group}`,
  clusterRoles: `clusterroles.${group}`,
  clusterRoleBindings: `clusterrolebindings.${group}`,
} as const;

/** Reads the store's memory at each question: bindings are few, and what was just bound counts at once. */
export function rbacAuthorizer(store: ObjectStore): Authorizer {
  const rulesOf = (binding: RoleBinding | ClusterRoleBinding, namespace: string): Role["rules"] => {
    const { kind, name } = binding.roleRef;
    const key =
      kind === "ClusterRole"
        ? { resource: stored.clusterRoles, namespace: "", name }
        : { resource: stored.roles, namespace, name };
    const role: Role | ClusterRole | undefined = store.get(key)?.object;
    return role?.rules;
  };
  const grants = (binding: RoleBinding | ClusterRoleBinding, namespace: string, asked: Asked): boolean =>
    binding.subjects?.some((subject) => subjectMatches(subject, asked.user)) === true &&
    rulesOf(binding, namespace)?.some((rule) => ruleAllows(rule, asked.request)) === true;

  return {
    isAllowed: (user, attributes) => {
      const asked = { user, request: requestOf(attributes) };
      const everywhere = store.list(stored.clusterRoleBindings).items;
      if (everywhere.some(({ object }) => grants(object as ClusterRoleBinding, "", asked))) return true;
      const namespace = attributes.resource?.namespace ?? "";
      if (namespace === "") return false;
      const here = store.list(stored.roleBindings, { namespace }).items;
      return here.some(({ object }) => grants(object as RoleBinding, namespace, asked));
    },
  };
}

interface Asked {
  readonly user: User;
  readonly request: RbacRequest;
}

function requestOf({ verb, resource, path = "" }: Attributes): RbacRequest {
  if (resource === undefined) return { verb, path };
  const { group: apiGroup, resource: plural, subresource, name } = resource;
  return { verb, group: apiGroup, resource: subresource === "" ? plural : `${plural}/${subresource}`, name };
}
