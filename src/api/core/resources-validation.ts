import { compareQuantities, parseQuantity, QuantityError } from "../../lib/quantity/index.ts";
import type { Quantity } from "../../lib/quantity/index.ts";
import { invalidValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type { ResourceRequirements } from "../generated/types.ts";

/** The quantities of a list of resources, and the mistakes in it. Absent amounts are no mistake. */
export function readQuantities(
  list: Readonly<Record<string, string>> | undefined,
  field: string,
): { readonly quantities: ReadonlyMap<string, Quantity>; readonly errors: readonly FieldError[] } {
  const quantities = new Map<string, Quantity>();
  const errors: FieldError[] = [];
  for (const [name, text] of Object.entries(list ?? {})) {
    try {
      const quantity = parseQuantity(text);
      quantities.set(name, quantity);
      if (quantity.nano < 0n) {
        errors.push(invalidValue(`${field}[${name}]`, text, "must be greater than or equal to 0"));
      }
    } catch (error) {
      if (!(error instanceof QuantityError)) throw error;
      errors.push(invalidValue(`${field}[${name}]`, text, error.message));
    }
  }
  return { quantities, errors };
}

/** Requests and limits of a container. */
export function validateResources(resources: ResourceRequirements | undefined, field: string): FieldError[] {
  const limits = readQuantities(resources?.limits, `${field}.limits`);
  const requests = readQuantities(resources?.requests, `${field}.requests`);
  const errors = [...limits.errors, ...requests.errors];
  for (const [name, request] of requests.quantities) {
    const limit = limits.quantities.get(name);
    if (limit && compareQuantities(request, limit) > 0) {
      const text = `must be less than or equal to ${name} limit of ${resources?.limits?.[name] ?? ""}`;
      errors.push(invalidValue(`${field}.requests`, resources?.requests?.[name], text));
    }
  }
  return errors;
}
