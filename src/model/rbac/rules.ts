/** What a role allows and whom a binding means, as Kubernetes' RBAC authorizer reads them. Pure. */
import type { PolicyRule, RbacV1Subject } from "../../api/generated/types.ts";

export type RbacRequest =
  | {
      readonly verb: string;
      readonly group: string;
      /** With its subresource: "pods/log". */
      readonly resource: string;
      /** "" where the request names no object. */
      readonly name: string;
    }
  | { readonly verb: string; readonly path: string };

export interface RbacSubject {
  readonly name: string;
  readonly groups: readonly string[];
}

const includes = (list: readonly string[] | undefined, value: string): boolean =>
  list?.some((item) => item === "*" || item === value) === true;

export function ruleAllows(rule: PolicyRule, request: RbacRequest): boolean {
  if (!includes(rule.verbs, request.verb)) return false;
  if ("path" in request) return rule.nonResourceURLs?.some((pattern) => pathMatches(pattern, request.path)) === true;
  if (!includes(rule.apiGroups, request.group) || !resourceMatches(rule.resources, request.resource)) return false;
  const names = rule.resourceNames ?? [];
  return names.length === 0 || (request.name !== "" && names.includes(request.name));
}

/** "*" is every resource and subresource; "*\/scale" the subresource of every resource. "pods" is not "pods/log". */
function resourceMatches(resources: readonly string[] | undefined, resource: string): boolean {
  if (includes(resources, resource)) return true;
  const subresource = resource.split("/")[1];
  return subresource !== undefined && resources?.includes(`*/${subresource}`) === true;
}

/** A pattern's only wildcard is a final "*". */
function pathMatches(pattern: string, path: string): boolean {
  return pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}

/** A service account is meant by its namespace and name; a user whose name says the same is one, too. */
export function subjectMatches(subject: RbacV1Subject, user: RbacSubject): boolean {
  switch (subject.kind) {
    case "User":
      return subject.name === user.name;
    case "Group":
      return user.groups.includes(subject.name);
    case "ServiceAccount":
      return user.name === `system:serviceaccount:${subject.namespace ?? ""}:${subject.name}`;
    default:
      return false;
  }
}
