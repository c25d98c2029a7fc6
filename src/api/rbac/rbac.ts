/** Roles and who has them. */
import { isJsonEqual } from "../../lib/equal/index.ts";
import { invalidValue, requiredValue, unsupportedValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type { PolicyRule, RbacV1Subject, RoleBinding, RoleRef } from "../generated/types.ts";
import { ageColumn, ageOf, column, nameColumn, nameOf, wideColumn } from "../registry/columns.ts";
import { defineResource } from "../registry/define.ts";
import type { Cell, Column, Draft } from "../registry/definition.ts";
import { resources } from "../resources.ts";

const rbacGroup = "rbac.authorization.k8s.io";

function validateRules(rules: readonly PolicyRule[] | undefined, isNamespaced: boolean): FieldError[] {
  return (rules ?? []).flatMap((rule, index) => {
    const field = `rules[${index}]`;
    const { verbs, nonResourceURLs = [], apiGroups = [], resources: kinds = [], resourceNames = [] } = rule;
    const errors: FieldError[] = [];
    if (verbs.length === 0) errors.push(requiredValue(`${field}.verbs`, "verbs must contain at least one value"));
    if (nonResourceURLs.length > 0) {
      if (isNamespaced) {
        const text = "namespaced rules cannot apply to non-resource URLs";
        errors.push(invalidValue(`${field}.nonResourceURLs`, nonResourceURLs, text));
      }
      if (apiGroups.length + kinds.length + resourceNames.length > 0) {
        const text = "rules cannot apply to both regular resources and non-resource URLs";
        errors.push(invalidValue(`${field}.nonResourceURLs`, nonResourceURLs, text));
      }
      return errors;
    }
    if (apiGroups.length === 0) {
      errors.push(requiredValue(`${field}.apiGroups`, "resource rules must supply at least one api group"));
    }
    if (kinds.length === 0) {
      errors.push(requiredValue(`${field}.resources`, "resource rules must supply at least one resource"));
    }
    return errors;
  });
}

export const roles = defineResource(resources.roles, {
  nameRule: "path",
  validate: ({ rules }) => validateRules(rules, true),
});

export const clusterRoles = defineResource(resources.clusterRoles, {
  nameRule: "path",
  validate: ({ rules }) => validateRules(rules, false),
});

const bindingColumns: readonly Column[] = [
  nameColumn,
  column("Role", "The role that is given."),
  ageColumn,
  wideColumn("Users", "Users who have the role."),
  wideColumn("Groups", "Groups whose members have the role."),
  wideColumn("ServiceAccounts", "Service accounts that have the role."),
];

type Binding = Pick<RoleBinding, "metadata" | "roleRef" | "subjects">;

function bindingCells(object: Binding, now: Date): readonly Cell[] {
  const named = (kind: string): readonly RbacV1Subject[] =>
    (object.subjects ?? []).filter((subject) => subject.kind === kind);
  const names = (kind: string): string =>
    named(kind)
      .map(({ name }) => name)
      .join(", ");
  const accounts = named("ServiceAccount").map(({ namespace, name }) => `${namespace ?? ""}/${name}`);
  return [
    nameOf(object),
    `${object.roleRef.kind}/${object.roleRef.name}`,
    ageOf(object, now),
    names("User"),
    names("Group"),
    accounts.join(", "),
  ];
}

function defaultBinding({ roleRef, subjects }: Draft<Binding>): void {
  if (roleRef) roleRef.apiGroup ||= rbacGroup;
  for (const subject of subjects ?? []) {
    if (subject.kind === "User" || subject.kind === "Group") subject.apiGroup ||= rbacGroup;
  }
}

function validateRoleRef(roleRef: RoleRef | undefined, kinds: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  if (roleRef?.apiGroup !== rbacGroup) {
    errors.push(unsupportedValue("roleRef.apiGroup", roleRef?.apiGroup ?? "", [rbacGroup]));
  }
  if (!kinds.includes(roleRef?.kind ?? "")) errors.push(unsupportedValue("roleRef.kind", roleRef?.kind ?? "", kinds));
  if (!roleRef?.name) errors.push(requiredValue("roleRef.name"));
  return errors;
}

function validateSubjects(subjects: readonly RbacV1Subject[] | undefined, isNamespaced: boolean): FieldError[] {
  return (subjects ?? []).flatMap((subject, index) => {
    const field = `subjects[${index}]`;
    const errors: FieldError[] = subject.name ? [] : [requiredValue(`${field}.name`)];
    const isAccount = subject.kind === "ServiceAccount";
    if (!isAccount && subject.kind !== "User" && subject.kind !== "Group") {
      return [...errors, unsupportedValue(`${field}.kind`, subject.kind, ["ServiceAccount", "User", "Group"])];
    }
    const group = isAccount ? "" : rbacGroup;
    if ((subject.apiGroup ?? "") !== group) {
      errors.push(unsupportedValue(`${field}.apiGroup`, subject.apiGroup ?? "", [group]));
    }
    if (isAccount && !isNamespaced && !subject.namespace) errors.push(requiredValue(`${field}.namespace`));
    return errors;
  });
}

function roleRefIsImmutable(object: Binding, old: Binding): FieldError[] {
  return isJsonEqual(object.roleRef, old.roleRef)
    ? []
    : [invalidValue("roleRef", object.roleRef, "cannot change roleRef")];
}

export const roleBindings = defineResource(resources.roleBindings, {
  nameRule: "path",
  columns: bindingColumns,
  cells: bindingCells,
  defaults: defaultBinding,
  validate: ({ roleRef, subjects }) => [
    ...validateRoleRef(roleRef, ["Role", "ClusterRole"]),
    ...validateSubjects(subjects, true),
  ],
  validateUpdate: (object, { old }) => roleRefIsImmutable(object, old),
});

export const clusterRoleBindings = defineResource(resources.clusterRoleBindings, {
  nameRule: "path",
  columns: bindingColumns,
  cells: bindingCells,
  defaults: defaultBinding,
  validate: ({ roleRef, subjects }) => [
    ...validateRoleRef(roleRef, ["ClusterRole"]),
    ...validateSubjects(subjects, false),
  ],
  validateUpdate: (object, { old }) => roleRefIsImmutable(object, old),
});
