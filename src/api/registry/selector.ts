import { labelKeyMistakes, labelValueMistakes } from "../../lib/labels/index.ts";
import { forbiddenValue, invalidValue, requiredValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type { LabelSelector } from "../generated/types.ts";

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
