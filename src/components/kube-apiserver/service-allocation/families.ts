/** Which address families a Service has in a cluster of one family: upstream's defaults and refusals. */
import type { Service, ServiceSpec } from "../../../api/generated/types.ts";
import { invalidValue } from "../../../api/field-error.ts";
import type { FieldError } from "../../../api/field-error.ts";
import type { Draft } from "../../../api/registry/index.ts";

export type Family = "IPv4" | "IPv6";

/** What the cluster cannot give. Empty for ExternalName, which has no families. */
export function familyMistakes({ spec }: Service, family: Family): readonly FieldError[] {
  if (spec === undefined || spec.type === "ExternalName" || isSelectorless(spec)) return [];
  const errors: FieldError[] = [];
  if (spec.ipFamilyPolicy === "RequireDualStack") {
    const text = "this cluster is not configured for dual-stack services";
    errors.push(invalidValue("spec.ipFamilyPolicy", spec.ipFamilyPolicy, text));
  }
  (spec.ipFamilies ?? []).forEach((wanted, index) => {
    if (wanted !== family) {
      errors.push(invalidValue(`spec.ipFamilies[${index}]`, wanted, "not configured on this cluster"));
    }
  });
  return errors;
}

export function defaultFamilies(spec: Draft<ServiceSpec>, family: Family): void {
  if (spec.type === "ExternalName") return;
  if (isSelectorless(spec)) {
    // Its endpoints are made by hand and may be of any family, whatever the cluster has.
    spec.ipFamilyPolicy ??= "RequireDualStack";
    const families = spec.ipFamilies ?? [family];
    const other = families[0] === "IPv4" ? "IPv6" : "IPv4";
    const isDual = spec.ipFamilyPolicy !== "SingleStack" && families.length === 1;
    spec.ipFamilies = isDual ? [...families, other] : [...families];
    return;
  }
  spec.ipFamilyPolicy ??= "SingleStack";
  if (spec.ipFamilies === undefined || spec.ipFamilies.length === 0) spec.ipFamilies = [family];
}

/** Headless, and without a selector. */
function isSelectorless(spec: Pick<ServiceSpec, "clusterIP" | "selector">): boolean {
  return spec.clusterIP === "None" && Object.keys(spec.selector ?? {}).length === 0;
}
