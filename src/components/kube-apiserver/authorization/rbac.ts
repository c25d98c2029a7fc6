/** What roles and bindings in the store allow. */
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  RbacV1Subject,
  Role,
  RoleBinding,
  RoleRef,
} from "../../../api/generated/types.ts";
import { quoted } from "../../../api/go-text.ts";
import { type RbacRequest, ruleAllows, subjectMatches } from "../../../model/rbac/index.ts";
import type { ObjectStore } from "../../../storage/index.ts";
import type { User } from "../user.ts";
import { noOpinion } from "./authorizer.ts";
import type { Attributes, Authorizer, Decision } from "./authorizer.ts";

/** Storage names, see `StoreKey`. */
const group = "rbac.authorization.k8s.io";
const stored = {
  roles: `roles.${group}`,
  roleBindings: `rolebindings.${group}`,
  clusterRoles: `clusterroles.${group}`,
  clusterRoleBindings: `clusterrolebindings.${group}`,
} as const;

type Binding = RoleBinding | ClusterRoleBinding;

/** The bindings of one namespace, or of the cluster, by those whom they may mean. */
type BindingIndex = ReadonlyMap<string, readonly Binding[]>;

/** The rules of a role; undefined where there is no such role. */
export function rulesOfRole(
  store: ObjectStore,
  { kind, name }: RoleRef,
  namespace: string,
): readonly PolicyRule[] | undefined {
  const key =
    kind === "ClusterRole"
      ? { resource: stored.clusterRoles, namespace: "", name }
      : { resource: stored.roles, namespace, name };
  const role: Role | ClusterRole | undefined = store.get(key)?.object;
  return role === undefined ? undefined : (role.rules ?? []);
}

/** What was just bound counts at once: roles are read at each question, the index of bindings is made anew after a change. */
export function rbacAuthorizer(store: ObjectStore): Authorizer {
  const indexes = new Map<string, BindingIndex>();
  const watched: readonly (readonly [string, (namespace: string) => string])[] = [
    [stored.clusterRoleBindings, () => ""],
    [stored.roleBindings, (namespace) => namespace],
  ];
  for (const [resource, slot] of watched) {
    store.watch(resource, store.revision, ({ current }) => indexes.delete(slot(current.key.namespace)));
  }

  const indexOf = (namespace: string): BindingIndex => {
    const known = indexes.get(namespace);
    if (known !== undefined) return known;
    const list =
      namespace === "" ? store.list(stored.clusterRoleBindings) : store.list(stored.roleBindings, { namespace });
    const index = new Map<string, Binding[]>();
    for (const { object } of list.items) {
      const binding = object as unknown as Binding;
      for (const entry of new Set((binding.subjects ?? []).map(subjectEntry))) {
        const entries = index.get(entry) ?? [];
        index.set(entry, entries);
        entries.push(binding);
      }
    }
    // Questions may name any namespace: those without bindings must not pile up.
    if (index.size > 0 || namespace === "") indexes.set(namespace, index);
    return index;
  };

  function* grantsTo(user: User, namespace: string): Generator<Grant> {
    for (const scope of namespace === "" ? [""] : ["", namespace]) {
      const index = indexOf(scope);
      for (const entry of [userEntry(user.name), ...user.groups.map(groupEntry)]) {
        for (const binding of index.get(entry) ?? []) {
          const subject = binding.subjects?.find((one) => subjectMatches(one, user));
          if (subject !== undefined) yield { binding, subject, scope };
        }
      }
    }
  }

  return {
    decide: (user, attributes) => {
      const request = requestOf(attributes);
      const missing: string[] = [];
      for (const grant of grantsTo(user, attributes.resource?.namespace ?? "")) {
        const rules = rulesOfRole(store, grant.binding.roleRef, grant.scope);
        if (rules === undefined) missing.push(missingRole(grant.binding.roleRef));
        else if (rules.some((rule) => ruleAllows(rule, request))) return allowedBy(grant);
      }
      return missing.length === 0 ? noOpinion : { isAllowed: false, reason: `RBAC: ${listed(missing)}` };
    },
    rulesFor: (user, namespace) => {
      const rules: PolicyRule[] = [];
      const missing: string[] = [];
      for (const { binding, scope } of grantsTo(user, namespace)) {
        const own = rulesOfRole(store, binding.roleRef, scope);
        if (own === undefined) missing.push(missingRole(binding.roleRef));
        else rules.push(...own);
      }
      return missing.length === 0 ? { rules } : { rules, incomplete: listed(missing) };
    },
  };
}

interface Grant {
  readonly binding: Binding;
  readonly subject: RbacV1Subject;
  /** "" for the whole cluster. */
  readonly scope: string;
}

const userEntry = (name: string): string => `user ${name}`;
const groupEntry = (name: string): string => `group ${name}`;

function subjectEntry({ kind, name, namespace = "" }: RbacV1Subject): string {
  if (kind === "Group") return groupEntry(name);
  return userEntry(kind === "ServiceAccount" ? `system:serviceaccount:${namespace}:${name}` : name);
}

function missingRole({ kind, name }: RoleRef): string {
  return `${kind.toLowerCase()}.${group} ${quoted(name)} not found`;
}

/** Upstream's form of several errors. */
function listed(errors: readonly string[]): string {
  const unique = [...new Set(errors)];
  return unique.length === 1 ? (unique[0] ?? "") : `[${unique.join(", ")}]`;
}

/** The reason is written only for those who read it: reviews do, requests do not. */
function allowedBy(grant: Grant): Decision {
  return {
    isAllowed: true,
    get reason() {
      return reasonOf(grant);
    },
  };
}

function reasonOf({ binding, subject, scope }: Grant): string {
  const { name = "" } = binding.metadata ?? {};
  const { kind, name: role } = binding.roleRef;
  const by = scope === "" ? `ClusterRoleBinding ${quoted(name)}` : `RoleBinding ${quoted(`${name}/${scope}`)}`;
  const whom = subject.kind === "ServiceAccount" ? `${subject.name}/${subject.namespace ?? ""}` : subject.name;
  return `RBAC: allowed by ${by} of ${kind} ${quoted(role)} to ${subject.kind} ${quoted(whom)}`;
}

function requestOf({ verb, resource, path = "" }: Attributes): RbacRequest {
  if (resource === undefined) return { verb, path };
  const { group: apiGroup, resource: plural, subresource, name } = resource;
  return { verb, group: apiGroup, resource: subresource === "" ? plural : `${plural}/${subresource}`, name };
}
