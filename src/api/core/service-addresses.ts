/** A Service's addresses and their families: `clusterIP`, `clusterIPs`, `ipFamilies`, `ipFamilyPolicy`. */
import { isIpAddress } from "../../lib/ip/index.ts";
import { duplicateValue, forbiddenValue, invalidValue, requiredValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type { Service, ServiceSpec } from "../generated/types.ts";
import { addressSentence, oneOf, optionalOneOf } from "../registry/checks.ts";

const policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];

export function isHeadless(spec: ServiceSpec): boolean {
  return spec.clusterIP === "None";
}

/** What can be said of the fields without knowing the cluster's families. None for ExternalName, see `externalNameMistakes`. */
export function addressMistakes(spec: ServiceSpec): FieldError[] {
  if (spec.type === "ExternalName") return [];
  const addresses = spec.clusterIPs ?? [];
  const errors = [...alignmentMistakes(spec), ...familyFieldMistakes(spec)];
  const wrong = addresses.flatMap((address, index) => wrongAddress(address, index, addresses));
  if (addresses.length > 2) wrong.push(invalidValue("spec.clusterIPs", addresses, "may only hold up to 2 values"));
  if (addresses.some((address, index) => wrongAddress(address, index, addresses).length > 0)) {
    return [...errors, ...wrong];
  }
  const isMixed = addresses.some(isIpv6) && !addresses.every(isIpv6);
  if (addresses.length > 1 && !(addresses.length === 2 && isMixed)) {
    wrong.push(invalidValue("spec.clusterIPs", addresses, "may specify no more than one IP for each IP family"));
  }
  return [...errors, ...wrong, ...mismatches(spec)];
}

/** Clients that know only one of the two fields have both set for them before this. */
function alignmentMistakes({ clusterIP, clusterIPs = [] }: ServiceSpec): FieldError[] {
  if (clusterIP) {
    if (clusterIPs.length === 0) return [requiredValue("spec.clusterIPs")];
    if (clusterIPs[0] === clusterIP) return [];
    return [invalidValue("spec.clusterIPs", clusterIPs, "first value must match `clusterIP`")];
  }
  if (clusterIPs.length === 0) return [];
  return [invalidValue("spec.clusterIPs", clusterIPs, "must be empty when `clusterIP` is not specified")];
}

function familyFieldMistakes({ ipFamilies = [], ipFamilyPolicy }: ServiceSpec): FieldError[] {
  return [
    ...ipFamilies.flatMap((family, index) => [
      ...oneOf(family, ["IPv4", "IPv6"], `spec.ipFamilies[${index}]`),
      ...(ipFamilies.indexOf(family) < index ? [duplicateValue(`spec.ipFamilies[${index}]`, family)] : []),
    ]),
    ...optionalOneOf(ipFamilyPolicy, policies, "spec.ipFamilyPolicy"),
  ];
}

function wrongAddress(address: string, index: number, all: readonly string[]): FieldError[] {
  if (index === 0 && address === "None") {
    return all.length === 1 ? [] : [invalidValue("spec.clusterIPs", all, "'None' must be the first and only value")];
  }
  return isIpAddress(address) ? [] : [invalidValue(`spec.clusterIPs[${index}]`, address, addressSentence)];
}

function mismatches(spec: ServiceSpec): FieldError[] {
  if (isHeadless(spec)) return [];
  return (spec.clusterIPs ?? []).flatMap((address, index) => {
    const family = spec.ipFamilies?.[index];
    if (family === undefined || (family === "IPv6") === isIpv6(address)) return [];
    const text = `expected an ${family} value as indicated by \`ipFamilies[${index}]\``;
    return [invalidValue(`spec.clusterIPs[${index}]`, address, text)];
  });
}

const isIpv6 = (address: string): boolean => address.includes(":");

/** An ExternalName Service has no addresses; a headless one is of type ClusterIP. */
export function typeMistakes(spec: ServiceSpec): FieldError[] {
  if (spec.type !== "ExternalName") {
    if (!isHeadless(spec) || spec.type === "ClusterIP") return [];
    return [invalidValue("spec.clusterIPs[0]", "None", `may not be set to 'None' for ${spec.type ?? ""} services`)];
  }
  const isSet = {
    "spec.clusterIPs": (spec.clusterIPs ?? []).length > 0 || (spec.clusterIP ?? "") !== "",
    "spec.ipFamilies": (spec.ipFamilies ?? []).length > 0,
    "spec.ipFamilyPolicy": spec.ipFamilyPolicy !== undefined,
  };
  return Object.entries(isSet)
    .filter(([, hasValue]) => hasValue)
    .map(([field]) => forbiddenValue(field, "may not be set for ExternalName services"));
}

/** A Service keeps its primary address and family; the secondary may come, and may go with the policy SingleStack. */
export function addressUpdateMistakes({ spec = {} }: Service, { spec: before = {} }: Service): FieldError[] {
  if (spec.type === "ExternalName" || before.type === "ExternalName") return [];
  return [...changedAddresses(spec, before), ...changedFamilies(spec, before)];
}

const fixed = "may not change once set";

function changedAddresses(spec: ServiceSpec, before: ServiceSpec): FieldError[] {
  if (isHeadless(spec) && isHeadless(before)) return [];
  const [now, old] = [spec.clusterIPs ?? [], before.clusterIPs ?? []];
  if (old.length === now.length) {
    return old.flatMap((address, index) =>
      address === now[index] ? [] : [invalidValue(`spec.clusterIPs[${index}]`, now, fixed)],
    );
  }
  const first = "spec.clusterIPs[0]";
  if (now.length === 0) return [invalidValue(first, spec.clusterIPs ?? null, "primary clusterIP can not be unset")];
  const errors = old.length > 0 && old[0] !== now[0] ? [invalidValue(first, now, fixed)] : [];
  if (old.length > now.length && spec.ipFamilyPolicy !== "SingleStack") {
    const text = "must be set to 'SingleStack' when releasing the secondary clusterIP";
    errors.push(invalidValue("spec.ipFamilyPolicy", spec.ipFamilyPolicy ?? null, text));
  }
  return errors;
}

function changedFamilies(spec: ServiceSpec, before: ServiceSpec): FieldError[] {
  if (isHeadless(spec) || isHeadless(before)) return [];
  const [now, old] = [spec.ipFamilies ?? [], before.ipFamilies ?? []];
  const first = "spec.ipFamilies[0]";
  if (old.length === now.length) {
    return old.flatMap((family, index) => (family === now[index] ? [] : [invalidValue(first, now, fixed)]));
  }
  const errors = old.length > 0 && now.length > 0 && old[0] !== now[0] ? [invalidValue(first, now, fixed)] : [];
  if (old.length > now.length && spec.ipFamilyPolicy !== "SingleStack") {
    const text = "must be set to 'SingleStack' when releasing the secondary ipFamily";
    errors.push(invalidValue("spec.ipFamilyPolicy", spec.ipFamilyPolicy ?? null, text));
  }
  return errors;
}
