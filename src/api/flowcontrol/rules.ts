/** Mistakes of a FlowSchema's rules: whose requests, and for what. */
import { dnsLabelMistakes, subdomainMistakes } from "../../lib/labels/index.ts";
import { forbiddenValue, invalidValue, requiredValue, unsupportedValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type {
  FlowcontrolV1Subject,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  ServiceAccountSubject,
} from "../generated/types.ts";

/** In the order in which upstream prints them. */
const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"];

export function ruleMistakes(rule: PolicyRulesWithSubjects, field: string): readonly FieldError[] {
  const { subjects, resourceRules = [], nonResourceRules = [] } = rule;
  const errors: FieldError[] = subjects.flatMap((subject, index) =>
    subjectMistakes(subject, `${field}.subjects[${index}]`),
  );
  if (subjects.length === 0) {
    errors.push(requiredValue(`${field}.subjects`, "subjects must contain at least one value"));
  }
  if (resourceRules.length + nonResourceRules.length === 0) {
    errors.push(requiredValue(field, "at least one of resourceRules and nonResourceRules has to be non-empty"));
  }
  return [
    ...errors,
    ...resourceRules.flatMap((one, index) => resourceMistakes(one, `${field}.resourceRules[${index}]`)),
    ...nonResourceRules.flatMap((one, index) => pathRuleMistakes(one, `${field}.nonResourceRules[${index}]`)),
  ];
}

/** Where each kind of subject is named. */
const places = { ServiceAccount: "serviceAccount", User: "user", Group: "group" } as const;
const placesInOrder = ["serviceAccount", "user", "group"] as const;

function subjectMistakes(subject: FlowcontrolV1Subject, field: string): readonly FieldError[] {
  const { kind } = subject;
  if (kind !== "ServiceAccount" && kind !== "User" && kind !== "Group") {
    return [unsupportedValue(`${field}.kind`, kind, ["Group", "ServiceAccount", "User"])];
  }
  const own = places[kind];
  const named = subject[own];
  const errors: FieldError[] = [];
  if (named === undefined) {
    errors.push(requiredValue(`${field}.${own}`, `${own} is required when subject kind is '${kind}'`));
  } else if (named.name === "") errors.push(requiredValue(`${field}.${own}.name`));
  if (kind === "ServiceAccount" && subject.serviceAccount !== undefined) {
    errors.push(...accountMistakes(subject.serviceAccount, `${field}.serviceAccount`));
  }
  const others = placesInOrder.filter((place) => place !== own && subject[place] !== undefined);
  return [
    ...errors,
    ...others.map((place) => {
      const of = `${place.slice(0, 1).toUpperCase()}${place.slice(1)}`;
      return forbiddenValue(`${field}.${place}`, `${place} is forbidden when subject kind is not '${of}'`);
    }),
  ];
}

/** Of a name that is there. */
function accountMistakes({ name, namespace }: ServiceAccountSubject, field: string): readonly FieldError[] {
  const isAny = name === "" || name === "*";
  return [
    ...(isAny ? [] : subdomainMistakes(name).map((text) => invalidValue(`${field}.name`, name, text))),
    ...(namespace === ""
      ? [requiredValue(`${field}.namespace`, "must specify namespace for service account")]
      : dnsLabelMistakes(namespace).map((text) => invalidValue(`${field}.namespace`, namespace, text))),
  ];
}

function verbMistakes(asked: readonly string[], field: string): readonly FieldError[] {
  if (asked.length === 0) return [requiredValue(field, "verbs must contain at least one value")];
  if (asked.includes("*")) return alone(asked, "verbs", field);
  return asked.every((verb) => verbs.includes(verb)) ? [] : [unsupportedValue(field, asked, verbs)];
}

/** "*" says everything: nothing stands beside it. */
function alone(list: readonly string[], what: string, field: string): readonly FieldError[] {
  if (list.length <= 1 || !list.includes("*")) return [];
  return [invalidValue(field, list, `if '*' is present, must not specify other ${what}`)];
}

function resourceMistakes(rule: ResourcePolicyRule, field: string): readonly FieldError[] {
  const { apiGroups, resources, namespaces = [], clusterScope = false } = rule;
  const atLeastOne = (list: readonly string[], name: string, what: string): readonly FieldError[] =>
    list.length === 0 ? [requiredValue(`${field}.${name}`, `resource rules must supply at least one ${what}`)] : [];
  return [
    ...verbMistakes(rule.verbs, `${field}.verbs`),
    ...atLeastOne(apiGroups, "apiGroups", "api group"),
    ...alone(apiGroups, "api groups", `${field}.apiGroups`),
    ...atLeastOne(resources, "resources", "resource"),
    ...alone(resources, "resources", `${field}.resources`),
    ...namespaceMistakes(namespaces, { clusterScope, field: `${field}.namespaces` }),
  ];
}

function namespaceMistakes(
  namespaces: readonly string[],
  { clusterScope, field }: { readonly clusterScope: boolean; readonly field: string },
): readonly FieldError[] {
  if (namespaces.length === 0 && !clusterScope) {
    const text = "resource rules that are not cluster scoped must supply at least one namespace";
    return [requiredValue(field, text)];
  }
  if (namespaces.includes("*")) return alone(namespaces, "namespaces", field);
  const intro = "each member of this list must be '*' or a DNS-1123 label; ";
  return namespaces.flatMap((namespace, index) =>
    dnsLabelMistakes(namespace).map((text) => invalidValue(`${field}[${index}]`, namespace, `${intro}${text}`)),
  );
}

function pathRuleMistakes(rule: NonResourcePolicyRule, field: string): readonly FieldError[] {
  const place = `${field}.nonResourceURLs`;
  const paths = rule.nonResourceURLs;
  const errors = verbMistakes(rule.verbs, `${field}.verbs`);
  if (paths.length === 0) {
    return [...errors, requiredValue(place, "nonResourceURLs must contain at least one value")];
  }
  if (paths.includes("*")) return [...errors, ...alone(paths, "non-resource URLs", place)];
  return [
    ...errors,
    ...paths.flatMap((path, index) => {
      const text = pathMistake(path);
      return text === undefined ? [] : [invalidValue(`${place}[${index}]`, path, text)];
    }),
  ];
}

function pathMistake(path: string): string | undefined {
  if (path === "") return "must not be empty";
  if (!path.startsWith("/")) return "must start with slash";
  if (path.includes(" ")) return "must not contain white-space";
  if (path.includes("//")) return "must not contain double slash";
  const firstStar = path.indexOf("*");
  const isSuffix = firstStar === -1 || (firstStar === path.length - 1 && path.endsWith("/*"));
  return isSuffix ? undefined : "wildcard can only do suffix matching";
}
