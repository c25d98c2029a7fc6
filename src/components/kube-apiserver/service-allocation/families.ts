/** Which address families a Service has: upstream's defaults, upgrades, downgrades and refusals. */
import { addressMistakes } from "../../../api/core/service-addresses.ts";
import type { Service, ServiceSpec } from "../../../api/generated/types.ts";
import { invalidValue } from "../../../api/field-error.ts";
import type { FieldError } from "../../../api/field-error.ts";
import type { Draft } from "../../../api/registry/index.ts";
import type { IpFamily } from "../../../lib/ip/index.ts";
import type { PerFamily } from "../../../model/cluster-config.ts";

interface FamilyContext {
  /** Undefined on creation. */
  readonly old: Service | undefined;
  /** The cluster's, the default one first. */
  readonly families: PerFamily<IpFamily>;
}

/**
 * Gives `service` its policy and families, and takes the secondary ones away where the policy became SingleStack.
 * Returns what is wrong; then the Service is refused.
 */
export function settleFamilies(service: Draft<Service>, { old, families }: FamilyContext): readonly FieldError[] {
  const { spec } = service;
  if (spec === undefined || spec.type === "ExternalName" || isKeptAsItIs(spec, old?.spec)) return [];
  spec.ipFamilyPolicy ??= old?.spec?.ipFamilyPolicy ?? (isSelectorless(spec) ? "RequireDualStack" : "SingleStack");
  const mistakes = addressMistakes(spec);
  if (mistakes.length > 0) return mistakes;
  const ofChange = old?.spec === undefined ? [] : settleChange(spec, old.spec);
  const unfit = [...ofChange, ...policyMistakes(spec), ...inferFamilies(spec, families)];
  if (unfit.length > 0) return unfit;
  if (isSelectorless(spec)) {
    // Its endpoints are made by hand and may be of any family, whatever the cluster has.
    spec.ipFamilies = completed(spec, { primary: families[0], isDual: true });
    return [];
  }
  const unknown = clusterMistakes(spec, families);
  if (unknown.length > 0) return unknown;
  spec.ipFamilies = completed(spec, { primary: families[0], isDual: families.length === 2 });
  return [];
}

/** A PreferDualStack Service does not follow a cluster that became, or ceased to be, a dual-stack one. */
function isKeptAsItIs(spec: ServiceSpec, before: ServiceSpec | undefined): boolean {
  return (
    before !== undefined &&
    before.type === spec.type &&
    spec.ipFamilyPolicy === "PreferDualStack" &&
    before.ipFamilyPolicy === "PreferDualStack" &&
    isSame(spec.clusterIPs, before.clusterIPs) &&
    isSame(spec.ipFamilies, before.ipFamilies)
  );
}

const isSame = (one: readonly string[] = [], other: readonly string[] = []): boolean => one.join() === other.join();

/** Headless, and without a selector. */
function isSelectorless(spec: Pick<ServiceSpec, "clusterIP" | "selector">): boolean {
  return spec.clusterIP === "None" && Object.keys(spec.selector ?? {}).length === 0;
}

/** SingleStack alone says clearly that the secondary address goes; anything else must keep it. */
function settleChange(spec: Draft<ServiceSpec>, before: ServiceSpec): readonly FieldError[] {
  const { clusterIPs = [], ipFamilies = [] } = spec;
  if (spec.ipFamilyPolicy === "SingleStack") {
    if (isSame(clusterIPs, before.clusterIPs) && clusterIPs.length > 1) spec.clusterIPs = clusterIPs.slice(0, 1);
    if (isSame(ipFamilies, before.ipFamilies) && ipFamilies.length > 1) spec.ipFamilies = ipFamilies.slice(0, 1);
    return [];
  }
  const mustRelease = (what: string): FieldError =>
    invalidValue("spec.ipFamilyPolicy", spec.ipFamilyPolicy, `must be 'SingleStack' to release the secondary ${what}`);
  return [
    ...(isReduced(clusterIPs, before.clusterIPs) ? [mustRelease("cluster IP")] : []),
    ...(isReduced(ipFamilies, before.ipFamilies) ? [mustRelease("IP family")] : []),
  ];
}

/** From two to one, which is still the first. */
function isReduced(now: readonly string[], before: readonly string[] = []): boolean {
  return before.length === 2 && now.length === 1 && now[0] === before[0];
}

function policyMistakes({ ipFamilyPolicy, clusterIPs = [], ipFamilies = [] }: ServiceSpec): readonly FieldError[] {
  if (ipFamilyPolicy !== "SingleStack") return [];
  const mistake = (what: string): FieldError =>
    invalidValue(
      "spec.ipFamilyPolicy",
      ipFamilyPolicy,
      `must be RequireDualStack or PreferDualStack when multiple '${what}' are specified`,
    );
  return [
    ...(clusterIPs.length === 2 ? [mistake("clusterIPs")] : []),
    ...(ipFamilies.length === 2 ? [mistake("ipFamilies")] : []),
  ];
}

/** Who chose an address has chosen its family. */
function inferFamilies(spec: Draft<ServiceSpec>, families: PerFamily<IpFamily>): readonly FieldError[] {
  const { clusterIPs = [] } = spec;
  const inferred: string[] = [...(spec.ipFamilies ?? [])];
  const errors: FieldError[] = [];
  for (const [index, address] of clusterIPs.entries()) {
    if (address === "None") break;
    if (index < inferred.length) continue;
    const family: IpFamily = address.includes(":") ? "IPv6" : "IPv4";
    if (families.includes(family)) inferred.push(family);
    else
      errors.push(invalidValue(`spec.clusterIPs[${index}]`, clusterIPs, `${family} is not configured on this cluster`));
  }
  if (inferred.length > 0) spec.ipFamilies = inferred;
  return errors;
}

function clusterMistakes(spec: ServiceSpec, families: PerFamily<IpFamily>): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (spec.ipFamilyPolicy === "RequireDualStack" && families.length < 2) {
    const text = "this cluster is not configured for dual-stack services";
    errors.push(invalidValue("spec.ipFamilyPolicy", spec.ipFamilyPolicy, text));
  }
  (spec.ipFamilies ?? []).forEach((wanted, index) => {
    if (!families.some((family) => family === wanted)) {
      errors.push(invalidValue(`spec.ipFamilies[${index}]`, wanted, "not configured on this cluster"));
    }
  });
  return errors;
}

/** The default family where there is none, and the other one where the policy wants two and two are to be had. */
function completed(
  { ipFamilies = [], ipFamilyPolicy }: ServiceSpec,
  cluster: { readonly primary: IpFamily; readonly isDual: boolean },
): string[] {
  const [first = cluster.primary, ...rest] = ipFamilies;
  const isWanting = rest.length === 0 && cluster.isDual && ipFamilyPolicy !== "SingleStack";
  return isWanting ? [first, first === "IPv4" ? "IPv6" : "IPv4"] : [first, ...rest];
}
