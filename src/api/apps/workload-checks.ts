/** What Deployments, ReplicaSets, DaemonSets and StatefulSets have in common. */
import { isJsonEqual } from "../../lib/equal/index.ts";
import { matchesSelector } from "../../lib/labels/index.ts";
import { validatePodTemplate } from "../core/pod-validation.ts";
import { invalidValue, requiredValue, unsupportedValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type { LabelSelector, PodTemplateSpec } from "../generated/types.ts";
import { immutable } from "../registry/metadata.ts";
import { validateSelector } from "../registry/selector.ts";

interface Workload {
  readonly selector?: LabelSelector;
  readonly template?: PodTemplateSpec;
}

/** The selector must choose the template's own pods, or the controller would make new ones for ever. */
export function validateWorkload(spec: Workload | undefined, word = "deployment"): FieldError[] {
  const { selector, template } = spec ?? {};
  const errors = validateSelector(selector, "spec.selector");
  if (selector === undefined) errors.push(requiredValue("spec.selector"));
  else if (isEmpty(selector)) {
    errors.push(invalidValue("spec.selector", selector, `empty selector is invalid for ${word}`));
  } else if (errors.length === 0 && !matchesSelector(selector, template?.metadata?.labels)) {
    const text = "`selector` does not match template `labels`";
    errors.push(invalidValue("spec.template.metadata.labels", template?.metadata?.labels ?? null, text));
  }
  return [...errors, ...validatePodTemplate(template, "spec.template")];
}

function isEmpty({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean {
  return Object.keys(matchLabels).length + matchExpressions.length === 0;
}

export function selectorIsImmutable(selector: LabelSelector | undefined, old: LabelSelector | undefined): FieldError[] {
  return isJsonEqual(selector, old) ? [] : [invalidValue("spec.selector", selector ?? null, immutable)];
}

/** A number of pods, or a share such as "25%". */
export function validateShare(value: number | string | undefined, field: string): FieldError[] {
  if (value === undefined) return [];
  if (typeof value === "number") {
    return value >= 0 ? [] : [invalidValue(field, value, "must be greater than or equal to 0")];
  }
  const text =
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for " +
    "validation is '[0-9]+%')";
  return /^\d+%$/.test(value) ? [] : [invalidValue(field, value, text)];
}

/** Does the share stand for no pod at all? */
export function isZeroShare(value: number | string | undefined): boolean {
  return value === 0 || value === "0%" || value === undefined;
}

/** The strategy's type, printed with upstream's order of the supported ones. */
export function validateStrategyType(
  type: string | undefined,
  supported: readonly string[],
  field: string,
): FieldError[] {
  if (type !== undefined && supported.includes(type)) return [];
  return [unsupportedValue(field, type ?? "", supported)];
}
