/** ServiceCIDRs and the IPAddresses taken from them. */
import { IpParseError, isIpAddress, parseCidr } from "../../lib/ip/index.ts";
import { invalidValue, requiredValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import { isJsonEqual } from "../../lib/equal/index.ts";
import { ageColumn, ageOf, column, nameColumn, nameOf } from "../registry/columns.ts";
import { addressSentence, cidrSentence } from "../registry/checks.ts";
import { defineResource } from "../registry/define.ts";
import { immutable } from "../registry/metadata.ts";
import { resources } from "../resources.ts";

export const serviceCidrs = defineResource(resources.serviceCidrs, {
  hasStatus: true,
  columns: [nameColumn, column("CIDRs", "The ranges of which Services get addresses."), ageColumn],
  cells: (object, now) => [nameOf(object), (object.spec?.cidrs ?? []).join(","), ageOf(object, now)],
  validate({ spec }) {
    const cidrs = spec?.cidrs ?? [];
    if (cidrs.length === 0) return [requiredValue("spec.cidrs", "at least one CIDR required")];
    return cidrs.flatMap((cidr, index) => {
      try {
        parseCidr(cidr);
        return [];
      } catch (error) {
        if (!(error instanceof IpParseError)) throw error;
        return [invalidValue(`spec.cidrs[${index}]`, cidr, cidrSentence)];
      }
    });
  },
  validateUpdate: ({ spec }, { old, subresource }) =>
    subresource !== "" || isJsonEqual(spec, old.spec) ? [] : [invalidValue("spec", spec ?? null, immutable)],
});

export const ipAddresses = defineResource(resources.ipAddresses, {
  shortNames: ["ip"],
  nameRule: "path",
  columns: [nameColumn, column("ParentRef", "The object that has the address.")],
  cells(object) {
    if (object.spec?.parentRef === undefined) return [nameOf(object), "<none>"];
    const { group, resource, namespace, name } = object.spec.parentRef;
    const kind = [resource, group].filter((part) => part !== undefined && part !== "").join(".");
    return [nameOf(object), [kind, namespace, name].filter((part) => part !== undefined && part !== "").join("/")];
  },
  validate(object) {
    const name = nameOf(object);
    const errors: FieldError[] = isIpAddress(name) ? [] : [invalidValue("metadata.name", name, addressSentence)];
    const parent = object.spec?.parentRef;
    if (parent === undefined) return [...errors, requiredValue("spec.parentRef")];
    if (!parent.resource) errors.push(requiredValue("spec.parentRef.resource"));
    if (!parent.name) errors.push(requiredValue("spec.parentRef.name"));
    return errors;
  },
  validateUpdate: ({ spec }, { old }) =>
    isJsonEqual(spec?.parentRef, old.spec?.parentRef)
      ? []
      : [invalidValue("spec.parentRef", spec?.parentRef ?? null, immutable)],
});
