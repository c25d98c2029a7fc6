/** What of a Service is accepted and yet without effect, or about to be refused: upstream says so in `Warning` headers. */
import type { Service, ServiceSpec } from "../generated/types.ts";
import { addressWarnings, cidrWarnings } from "../registry/addresses.ts";

const annotation = {
  hints: "service.kubernetes.io/topology-aware-hints",
  mode: "service.kubernetes.io/topology-mode",
} as const;

export function serviceWarnings({ metadata, spec = {} }: Service): readonly string[] {
  const { clusterIP, clusterIPs = [], externalIPs = [], loadBalancerIP = "", loadBalancerSourceRanges = [] } = spec;
  return [
    ...(metadata?.annotations?.[annotation.hints] === undefined
      ? []
      : [`annotation ${annotation.hints} is deprecated, please use ${annotation.mode} instead`]),
    ...(clusterIP === "None" ? [] : eachOf(clusterIPs, "spec.clusterIPs", addressWarnings)),
    ...(clusterIP === "None" && spec.type === "ClusterIP" ? headlessWarnings(spec) : []),
    ...eachOf(externalIPs, "spec.externalIPs", addressWarnings),
    ...addressWarnings(loadBalancerIP, "spec.loadBalancerIP"),
    ...eachOf(loadBalancerSourceRanges, "spec.loadBalancerSourceRanges", cidrWarnings),
    ...typeWarnings(spec),
    ...(spec.trafficDistribution === "PreferClose"
      ? ['spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"']
      : []),
  ];
}

function headlessWarnings({ loadBalancerIP = "", externalIPs = [], sessionAffinity }: ServiceSpec): readonly string[] {
  const isIgnored = {
    loadBalancerIP: loadBalancerIP !== "",
    externalIPs: externalIPs.length > 0,
    SessionAffinity: sessionAffinity !== "None",
  };
  return Object.entries(isIgnored).flatMap(([field, isSet]) =>
    isSet ? [`spec.${field} is ignored for headless services`] : [],
  );
}

function typeWarnings({ type, externalIPs = [], externalName = "" }: ServiceSpec): readonly string[] {
  if (type === "ExternalName") {
    return externalIPs.length > 0 ? ['spec.externalIPs is ignored when spec.type is "ExternalName"'] : [];
  }
  return externalName === "" ? [] : ['spec.externalName is ignored when spec.type is not "ExternalName"'];
}

function eachOf(
  values: readonly string[],
  field: string,
  warningsOf: (value: string, field: string) => readonly string[],
): readonly string[] {
  return values.flatMap((value, index) => warningsOf(value, `${field}[${index}]`));
}
