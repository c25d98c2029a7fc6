import { forbiddenValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import { ageColumn, ageOf, column, nameColumn, nameOf } from "../registry/columns.ts";
import { optionalOneOf } from "../registry/checks.ts";
import { defineResource } from "../registry/define.ts";
import { resources } from "../resources.ts";

/** Greater values are for the system's own classes. */
const highestUserValue = 1_000_000_000;

export const priorityClasses = defineResource(resources.priorityClasses, {
  shortNames: ["pc"],
  countsGeneration: true,
  columns: [
    nameColumn,
    column("Value", "The priority itself.", "integer"),
    column("Global-Default", "Whether pods that name no class get this one.", "boolean"),
    ageColumn,
    column("PreemptionPolicy", "Whether its pods may take the place of others."),
  ],
  cells: (object, now) => [
    nameOf(object),
    object.value ?? 0,
    object.globalDefault ?? false,
    ageOf(object, now),
    object.preemptionPolicy ?? "",
  ],
  defaults(draft) {
    draft.preemptionPolicy ??= "PreemptLowerPriority";
  },
  validate(object) {
    const errors: FieldError[] = optionalOneOf(
      object.preemptionPolicy,
      ["Never", "PreemptLowerPriority"],
      "preemptionPolicy",
    );
    const isSystem = nameOf(object).startsWith("system-");
    const known = ["system-cluster-critical", "system-node-critical"];
    if (isSystem && !known.includes(nameOf(object))) {
      const text = "priority class names with 'system-' prefix are reserved for system use only. error:";
      errors.push(forbiddenValue("metadata.name", `${text} ${nameOf(object)} is not a known system priority class`));
    }
    if (!isSystem && (object.value ?? 0) > highestUserValue) {
      const text = `maximum allowed value of a user defined priority is ${highestUserValue}`;
      errors.push(forbiddenValue("value", text));
    }
    return errors;
  },
  validateUpdate: (object, { old }) =>
    object.value === old.value ? [] : [forbiddenValue("value", "may not be changed in an update.")],
});
