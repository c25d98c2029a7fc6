/** Mistakes of the wishes about nodes: affinities and spread. */
import { labelKeyMistakes } from "../../lib/labels/index.ts";
import { duplicateValue, forbiddenValue, invalidValue, requiredValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type {
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
  PodSpec,
} from "../generated/types.ts";
import { oneOf } from "../registry/checks.ts";
import { validateSelector } from "../registry/selector.ts";

function validateKey(key: string, field: string): FieldError[] {
  return labelKeyMistakes(key).map((text) => invalidValue(field, key, text));
}

/** What an operator of a requirement wants of its values. */
function validateValues(operator: string, values: readonly string[], field: string): FieldError[] {
  switch (operator) {
    case "In":
    case "NotIn":
      if (values.length > 0) return [];
      return [requiredValue(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'")];
    case "Exists":
    case "DoesNotExist": {
      if (values.length === 0) return [];
      const text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      return [forbiddenValue(`${field}.values`, text)];
    }
    default:
      return [invalidValue(`${field}.operator`, operator, "not a valid selector operator")];
  }
}

function validateNodeRequirement(requirement: NodeSelectorRequirement, field: string): FieldError[] {
  const { key, operator, values = [] } = requirement;
  if (operator !== "Gt" && operator !== "Lt") {
    return [...validateValues(operator, values, field), ...validateKey(key, `${field}.key`)];
  }
  const text = "must be specified single value when `operator` is 'Lt' or 'Gt'";
  const errors = values.length === 1 ? [] : [requiredValue(`${field}.values`, text)];
  return [...errors, ...validateKey(key, `${field}.key`)];
}

function validateNodeTerm({ matchExpressions, matchFields }: NodeSelectorTerm, field: string): FieldError[] {
  return [
    ...(matchExpressions ?? []).flatMap((requirement, index) =>
      validateNodeRequirement(requirement, `${field}.matchExpressions[${index}]`),
    ),
    ...(matchFields ?? []).flatMap(({ key, values = [] }, index) => {
      const path = `${field}.matchFields[${index}]`;
      const errors =
        key === "metadata.name" ? [] : [invalidValue(`${path}.key`, key, "not a valid field selector key")];
      if (values.length !== 1)
        errors.push(
          requiredValue(
            `${path}.values`,
            "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
          ),
        );
      return errors;
    }),
  ];
}

function validateWeight(weight: number, field: string): FieldError[] {
  return weight >= 1 && weight <= 100 ? [] : [invalidValue(field, weight, "must be in the range 1-100")];
}

function validatePodTerm(term: PodAffinityTerm, field: string): FieldError[] {
  return [
    ...validateSelector(term.labelSelector, `${field}.labelSelector`),
    ...validateSelector(term.namespaceSelector, `${field}.namespaceSelector`),
    ...(term.topologyKey === "" ? [requiredValue(`${field}.topologyKey`, "can not be empty")] : []),
    ...validateKey(term.topologyKey, `${field}.topologyKey`),
  ];
}

function validatePodAffinity(affinity: PodAffinity | undefined, field: string): FieldError[] {
  const required = "requiredDuringSchedulingIgnoredDuringExecution";
  const preferred = "preferredDuringSchedulingIgnoredDuringExecution";
  return [
    ...(affinity?.[required] ?? []).flatMap((term, index) => validatePodTerm(term, `${field}.${required}[${index}]`)),
    ...(affinity?.[preferred] ?? []).flatMap(({ weight, podAffinityTerm }, index) => [
      ...validateWeight(weight, `${field}.${preferred}[${index}].weight`),
      ...validatePodTerm(podAffinityTerm, `${field}.${preferred}[${index}].podAffinityTerm`),
    ]),
  ];
}

/** `field` is the path of the pod's spec. */
export function validatePlacement(spec: PodSpec, field: string): FieldError[] {
  const { nodeAffinity, podAffinity, podAntiAffinity } = spec.affinity ?? {};
  const path = `${field}.affinity`;
  const required = "requiredDuringSchedulingIgnoredDuringExecution";
  const preferred = "preferredDuringSchedulingIgnoredDuringExecution";
  const terms = nodeAffinity?.[required]?.nodeSelectorTerms;
  const errors: FieldError[] = [];
  if (nodeAffinity?.[required] !== undefined && (terms ?? []).length === 0) {
    const at = `${path}.nodeAffinity.${required}.nodeSelectorTerms`;
    errors.push(requiredValue(at, "must have at least one node selector term"));
  }
  (terms ?? []).forEach((term, index) => {
    errors.push(...validateNodeTerm(term, `${path}.nodeAffinity.${required}.nodeSelectorTerms[${index}]`));
  });
  (nodeAffinity?.[preferred] ?? []).forEach(({ weight, preference }, index) => {
    const at = `${path}.nodeAffinity.${preferred}[${index}]`;
    errors.push(...validateWeight(weight, `${at}.weight`), ...validateNodeTerm(preference, `${at}.preference`));
  });
  errors.push(
    ...validatePodAffinity(podAffinity, `${path}.podAffinity`),
    ...validatePodAffinity(podAntiAffinity, `${path}.podAntiAffinity`),
  );
  return [...errors, ...validateSpread(spec, field)];
}

function validateSpread(spec: PodSpec, field: string): FieldError[] {
  const seen = new Set<string>();
  return (spec.topologySpreadConstraints ?? []).flatMap((constraint, index) => {
    const path = `${field}.topologySpreadConstraints[${index}]`;
    const { maxSkew, topologyKey, whenUnsatisfiable, minDomains } = constraint;
    const errors: FieldError[] = [];
    if (maxSkew <= 0) errors.push(invalidValue(`${path}.maxSkew`, maxSkew, "must be greater than zero"));
    if (topologyKey === "") errors.push(requiredValue(`${path}.topologyKey`, "can not be empty"));
    else errors.push(...validateKey(topologyKey, `${path}.topologyKey`));
    errors.push(...oneOf(whenUnsatisfiable, ["DoNotSchedule", "ScheduleAnyway"], `${path}.whenUnsatisfiable`));
    if (minDomains !== undefined) {
      if (minDomains <= 0) errors.push(invalidValue(`${path}.minDomains`, minDomains, "must be greater than zero"));
      if (whenUnsatisfiable !== "DoNotSchedule") {
        const text = "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway";
        errors.push(invalidValue(`${path}.minDomains`, minDomains, text));
      }
    }
    const pair = `{${topologyKey}, ${whenUnsatisfiable}}`;
    if (seen.has(pair)) errors.push(duplicateValue(`${path}.{topologyKey, whenUnsatisfiable}`, pair));
    seen.add(pair);
    return [...errors, ...validateSelector(constraint.labelSelector, `${path}.labelSelector`)];
  });
}
