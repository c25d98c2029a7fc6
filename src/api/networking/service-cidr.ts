/** ServiceCIDRs and the IPAddresses taken from them. */
import { isJsonEqual } from "../../lib/equal/index.ts";
import { invalidValue, requiredValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import { subdomainMistakes } from "../../lib/labels/index.ts";
import { ageColumn, ageOf, column, nameColumn, nameOf } from "../registry/columns.ts";
import { cidrSentence } from "../registry/checks.ts";
import { defineResource } from "../registry/define.ts";
import { immutable, pathMistakes } from "../registry/metadata.ts";
import { resources } from "../resources.ts";
import { strictAddressMistake, strictCidrMistake } from "../registry/addresses.ts";

export const serviceCidrs = defineResource(resources.serviceCidrs, {
  hasStatus: true,
  columns: [nameColumn, column("CIDRs", "The ranges of which Services get addresses."), ageColumn],
  cells: (object, now) => [nameOf(object), (object.spec?.cidrs ?? []).join(","), ageOf(object, now)],
  validate: ({ spec }) => rangeMistakes(spec?.cidrs ?? []),
  validateUpdate: ({ spec }, { old, subresource }) => {
    const cidrs = spec?.cidrs ?? [];
    // What is wrong by itself was said already.
    return subresource === "" && rangeMistakes(cidrs).length === 0 ? changeMistakes(cidrs, old.spec?.cidrs ?? []) : [];
  },
});

function rangeMistakes(cidrs: readonly string[]): readonly FieldError[] {
  const field = "spec.cidrs";
  // Upstream shows its own form of the whole spec.
  const shown = { CIDRs: cidrs };
  if (cidrs.length === 0) return [requiredValue(field, "at least one CIDR required")];
  if (cidrs.length > 2) return [invalidValue(field, shown, "may only hold up to 2 values")];
  const mistakes = cidrs.map(strictCidrMistake);
  const areOneOfEach = new Set(cidrs.map((cidr) => cidr.includes(":"))).size === 2 && !mistakes.includes(cidrSentence);
  if (cidrs.length === 2 && !areOneOfEach) {
    const example = "i.e 192.168.0.0/24 and 2001:db8::/64";
    return [invalidValue(field, shown, `may specify no more than one IP for each IP family, ${example}`)];
  }
  return cidrs.flatMap((cidr, index) => {
    const mistake = mistakes[index];
    return mistake === undefined ? [] : [invalidValue(`${field}[${index}]`, cidr, mistake)];
  });
}

/** A range of the other family may join; nothing else ever changes. */
function changeMistakes(cidrs: readonly string[], old: readonly string[]): readonly FieldError[] {
  const joins = old.length === 1 && cidrs.length === 2;
  if (cidrs.length !== old.length && !joins) return [invalidValue("spec.cidrs", cidrs, immutable)];
  return old.flatMap((before, index) => {
    const now = cidrs[index] ?? "";
    return now === before ? [] : [invalidValue(`spec.cidrs[${index}]`, now, immutable)];
  });
}

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
    const mistake = strictAddressMistake(name);
    const errors: FieldError[] = mistake === undefined ? [] : [invalidValue("metadata.name", name, mistake)];
    const parent = object.spec?.parentRef;
    const field = "spec.parentRef";
    if (parent === undefined) return [...errors, requiredValue(field)];
    const { group = "", namespace = "" } = parent;
    const invalid = (part: string, value: string, mistakes: readonly string[]): readonly FieldError[] =>
      mistakes.map((sentence) => invalidValue(`${field}.${part}`, value, sentence));
    if (group !== "") errors.push(...invalid("group", group, subdomainMistakes(group)));
    for (const part of ["resource", "name"] as const) {
      const value = parent[part];
      if (value === "") errors.push(requiredValue(`${field}.${part}`));
      else errors.push(...invalid(part, value, pathMistakes(value)));
    }
    if (namespace !== "") errors.push(...invalid("namespace", namespace, pathMistakes(namespace)));
    return errors;
  },
  validateUpdate: ({ spec }, { old }) =>
    isJsonEqual(spec?.parentRef, old.spec?.parentRef)
      ? []
      : [invalidValue("spec.parentRef", spec?.parentRef ?? null, immutable)],
});
