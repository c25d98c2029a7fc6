import { duplicateValue, requiredValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";

/** One condition of a type, and none without a type. */
export function conditionMistakes(
  conditions: readonly { readonly type?: string }[] | undefined,
  withoutType: string,
): readonly FieldError[] {
  const seen = new Set<string>();
  return (conditions ?? []).flatMap(({ type = "" }, index) => {
    const field = `status.conditions[${index}].type`;
    const errors = [
      ...(seen.has(type) ? [duplicateValue(field, type)] : []),
      ...(type === "" ? [requiredValue(field, withoutType)] : []),
    ];
    seen.add(type);
    return errors;
  });
}
