/** What Deployments, ReplicaSets, DaemonSets and StatefulSets have in common. */
import { isJsonEqual } from "../../lib/equal/index.ts";
import { matchesSelector } from "../../lib/labels/index.ts";
import { validatePodTemplate } from "../core/pod-validation.ts";
import { templateWarnings } from "../core/pod-warnings.ts";
import { forbiddenValue, invalidValue, requiredValue, unsupportedValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type { LabelSelector, PodTemplateSpec } from "../generated/types.ts";
import type { UpdateContext } from "../registry/definition.ts";
import { immutable } from "../registry/metadata.ts";
import { validateSelector } from "../registry/selector.ts";

interface Workload {
  readonly selector?: LabelSelector;
  readonly template?: PodTemplateSpec;
}

/** A new template's. */
export function workloadWarnings(object: Templated, old: Templated | undefined): readonly string[] {
  if (old !== undefined && old.metadata?.generation === object.metadata?.generation) return [];
  return templateWarnings(object.spec?.template, "spec.template");
}

interface Templated {
  readonly metadata?: { readonly generation?: number };
  readonly spec?: { readonly template?: PodTemplateSpec };
}

/** The selector must choose the template's own pods, or the controller would make new ones for ever. */
export function validateWorkload(spec: Workload | undefined, kind: WorkloadKind = "ReplicaSet"): FieldError[] {
  const { selector, template } = spec ?? {};
  const errors = validateSelector(selector, "spec.selector");
  const word = kind === "ReplicaSet" ? "deployment" : kind.toLowerCase();
  if (selector === undefined && kind !== "DaemonSet") errors.push(requiredValue("spec.selector"));
  else if (selector !== undefined && isEmpty(selector)) {
    errors.push(invalidValue("spec.selector", selector, `empty selector is invalid for ${word}`));
  }
  const isReadable = errors.every(({ type }) => type === "FieldValueRequired" && selector === undefined);
  if (isReadable && template !== undefined && !matchesSelector(selector, template.metadata?.labels)) {
    const text = "`selector` does not match template `labels`";
    errors.push(invalidValue("spec.template.metadata.labels", template.metadata?.labels ?? null, text));
  }
  errors.push(...validatePodTemplate(template, "spec.template"));
  if (template?.spec?.activeDeadlineSeconds !== undefined) {
    const text = `activeDeadlineSeconds in ${kind} is not Supported`;
    errors.push(forbiddenValue("spec.template.spec.activeDeadlineSeconds", text));
  }
  return errors;
}

/** As upstream names them in its messages: Deployments are ReplicaSets there. */
export type WorkloadKind = "ReplicaSet" | "DaemonSet" | "StatefulSet";

function isEmpty({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean {
  return Object.keys(matchLabels).length + matchExpressions.length === 0;
}

/** What chooses a workload's pods stays what it was made with. */
export function selectorIsImmutable(object: Selecting, { old, subresource }: UpdateContext<Selecting>): FieldError[] {
  const selector = object.spec?.selector;
  const isAllowed = subresource !== "" || isJsonEqual(selector, old.spec?.selector);
  return isAllowed ? [] : [invalidValue("spec.selector", selector ?? null, immutable)];
}

interface Selecting {
  readonly spec?: Workload;
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

/** A part of what there is cannot be more than all. */
export function validatePart(value: number | string | undefined, field: string): FieldError[] {
  const errors = validateShare(value, field);
  const isTooMuch = errors.length === 0 && typeof value === "string" && Number(value.slice(0, -1)) > 100;
  return isTooMuch ? [invalidValue(field, value, "must not be greater than 100%")] : errors;
}

/** Does the share stand for no pod at all? */
export function isZeroShare(value: number | string | undefined): boolean {
  return value === 0 || value === "0%" || value === undefined;
}

/** The strategy's type, printed with upstream's order of the supported ones; upstream quotes its own structure. */
export function validateStrategyType(
  type: string | undefined,
  supported: readonly string[],
  field: string,
): FieldError[] {
  if (type !== undefined && supported.includes(type)) return [];
  return [unsupportedValue(field, { Type: type ?? "", RollingUpdate: null }, supported)];
}
