import { invalidValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import { ageColumn, ageOf, column, nameColumn, nameOf } from "../registry/columns.ts";
import { defineResource } from "../registry/define.ts";
import { resources } from "../resources.ts";

export const leases = defineResource(resources.leases, {
  columns: [nameColumn, column("Holder", "Who holds the lease."), ageColumn],
  cells: (lease, now) => [nameOf(lease), lease.spec?.holderIdentity ?? "", ageOf(lease, now)],
  validate({ spec }) {
    const errors: FieldError[] = [];
    if (spec?.leaseDurationSeconds !== undefined && spec.leaseDurationSeconds <= 0) {
      errors.push(invalidValue("spec.leaseDurationSeconds", spec.leaseDurationSeconds, "must be greater than 0"));
    }
    if (spec?.leaseTransitions !== undefined && spec.leaseTransitions < 0) {
      errors.push(invalidValue("spec.leaseTransitions", spec.leaseTransitions, "must be greater than or equal to 0"));
    }
    return errors;
  },
});
