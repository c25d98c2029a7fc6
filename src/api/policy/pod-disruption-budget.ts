import { validateShare } from "../apps/workload-checks.ts";
import { validateSelector } from "../registry/selector.ts";
import { invalidValue } from "../field-error.ts";
import { ageColumn, ageOf, column, nameColumn, nameOf } from "../registry/columns.ts";
import { defineResource } from "../registry/define.ts";
import { resources } from "../resources.ts";

export const podDisruptionBudgets = defineResource(resources.podDisruptionBudgets, {
  shortNames: ["pdb"],
  hasStatus: true,
  countsGeneration: true,
  columns: [
    nameColumn,
    column("Min Available", "Pods that must stay available."),
    column("Max Unavailable", "Pods that may be unavailable."),
    column("Allowed Disruptions", "Pods that may be evicted now.", "integer"),
    ageColumn,
  ],
  cells: (object, now) => [
    nameOf(object),
    String(object.spec?.minAvailable ?? "N/A"),
    String(object.spec?.maxUnavailable ?? "N/A"),
    object.status?.disruptionsAllowed ?? 0,
    ageOf(object, now),
  ],
  validate({ spec }) {
    const errors = [
      ...validateShare(spec?.minAvailable, "spec.minAvailable"),
      ...validateShare(spec?.maxUnavailable, "spec.maxUnavailable"),
      ...validateSelector(spec?.selector, "spec.selector"),
    ];
    if (spec?.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
      errors.push(invalidValue("spec", spec, "minAvailable and maxUnavailable cannot be both set"));
    }
    return errors;
  },
});
