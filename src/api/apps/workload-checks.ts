/** What Deployments, ReplicaSets, DaemonSets and StatefulSets have in common. */
import { isJsonEqual } from "../../lib/equal/index.ts";
import { labelKeyMistakes, labelValueMistakes, matchesSelector } from "../../lib/labels/index.ts";
import { validatePodTemplate } from "../core/pod-validation.ts";
import { forbiddenValue, invalidValue, requiredValue, unsupportedValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type { LabelSelector, PodTemplateSpec } from "../generated/types.ts";
import { immutable } from "../registry/metadata.ts";

/** Mistakes within a label selector. */
export function validateSelector(selector: LabelSelector | undefined, field: string): FieldError[] {
  const errors = Object.entries(selector?.matchLabels ?? {}).flatMap(([key, value]) => [
    ...labelKeyMistakes(key).map((text) => invalidValue(`${field}.matchLabels`, key, text)),
    ...labelValueMistakes(value).map((text) => invalidValue(`${field}.matchLabels`, value, text)),
  ]);
  (selector?.matchExpressions ?? []).forEach(({ key, operator, values = [] }, index) => {
    const path = `${field}.matchExpressions[${index}]`;
    errors.push(...labelKeyMistakes(key).map((text) => invalidValue(`${path}.key`, key, text)));
    if (operator === "In" || operator === "NotIn") {
      if (values.length === 0) {
        errors.push(requiredValue(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
      }
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      if (values.length > 0) {
        errors.push(
          forbiddenValue(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
        );
      }
    } else errors.push(invalidValue(`${path}.operator`, operator, "not a valid selector operator"));
  });
  return errors;
}

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
