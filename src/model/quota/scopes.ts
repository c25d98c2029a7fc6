/** Which objects a quota counts at all. Pure. */
import type {
  PersistentVolumeClaim,
  Pod,
  ResourceQuota,
  ScopedResourceSelectorRequirement,
} from "../../api/generated/types.ts";
import type { KubernetesObject } from "../../api/object.ts";
import { attributeClassesOfClaim } from "../persistent-volumes/index.ts";
import type { ResourceName } from "./usage.ts";

/** A quota with scopes counts pods and claims only, those that are in all its scopes. */
export function isInScope(quota: ResourceQuota, resource: ResourceName, object: KubernetesObject): boolean {
  const { scopes = [], scopeSelector } = quota.spec ?? {};
  const required: readonly ScopedResourceSelectorRequirement[] = [
    ...scopes.map((scopeName) => ({ scopeName, operator: "Exists" })),
    ...(scopeSelector?.matchExpressions ?? []),
  ];
  if (required.length === 0) return true;
  if (resource === "pods") return required.every((requirement) => matches(requirement, object));
  return resource === "persistentvolumeclaims" && required.every((requirement) => matchesClaim(requirement, object));
}

/** A claim is in the scope of each class that it has, had last and waits for. */
function matchesClaim(
  { scopeName, operator, values = [] }: ScopedResourceSelectorRequirement,
  claim: PersistentVolumeClaim,
): boolean {
  if (scopeName !== "VolumeAttributesClass") return false;
  const classes = attributeClassesOfClaim(claim);
  return (classes.length === 0 ? [""] : classes).some((name) => matchesValue(operator, values, name));
}

function matches({ scopeName, operator, values = [] }: ScopedResourceSelectorRequirement, pod: Pod): boolean {
  const hasDeadline = (pod.spec?.activeDeadlineSeconds ?? -1) >= 0;
  switch (scopeName) {
    case "Terminating":
      return hasDeadline;
    case "NotTerminating":
      return !hasDeadline;
    case "BestEffort":
      return isBestEffort(pod);
    case "NotBestEffort":
      return !isBestEffort(pod);
    case "PriorityClass":
      return matchesValue(operator, values, pod.spec?.priorityClassName ?? "");
    case "CrossNamespacePodAffinity":
      return usesOtherNamespaces(pod);
    default:
      return false;
  }
}

function isBestEffort({ spec }: Pod): boolean {
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  return containers.every(({ resources }) =>
    [resources?.requests, resources?.limits].every(
      (amounts) => amounts?.["cpu"] === undefined && amounts?.["memory"] === undefined,
    ),
  );
}

function matchesValue(operator: string, values: readonly string[], value: string): boolean {
  switch (operator) {
    case "Exists":
      return value !== "";
    case "DoesNotExist":
      return value === "";
    case "In":
      return values.includes(value);
    case "NotIn":
      return !values.includes(value);
    default:
      return false;
  }
}

function usesOtherNamespaces({ spec }: Pod): boolean {
  const { podAffinity, podAntiAffinity } = spec?.affinity ?? {};
  const terms = [podAffinity, podAntiAffinity].flatMap((affinity) => [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
  ]);
  return terms.some((term) => (term.namespaces ?? []).length > 0 || term.namespaceSelector !== undefined);
}
