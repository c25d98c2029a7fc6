import { IpParseError, isIpAddress, parseCidr } from "../../lib/ip/index.ts";
import { dnsLabelMistakes, subdomainMistakes } from "../../lib/labels/index.ts";
import { duplicateValue, forbiddenValue, invalidValue, requiredValue, unsupportedValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type { Service, ServicePort, ServiceSpec } from "../generated/types.ts";
import { addressSentence, cidrSentence, isPort, oneOf, portRange, repeated } from "../registry/checks.ts";
import type { UpdateContext } from "../registry/definition.ts";
import { labelMistakes } from "../registry/metadata.ts";
import { addressMistakes, addressUpdateMistakes, isHeadless, typeMistakes } from "./service-addresses.ts";
import { validatePortReference } from "./container-validation.ts";

const types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
/** At most one day. */
const affinityLimitSeconds = 86_400;

function isExternal(spec: ServiceSpec): boolean {
  return spec.type === "NodePort" || spec.type === "LoadBalancer" || (spec.externalIPs ?? []).length > 0;
}

function validatePort(port: ServicePort, spec: ServiceSpec, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!port.name) {
    if ((spec.ports ?? []).length > 1) errors.push(requiredValue(`${field}.name`));
  } else {
    errors.push(...dnsLabelMistakes(port.name).map((text) => invalidValue(`${field}.name`, port.name, text)));
  }
  if (!isPort(port.port)) errors.push(invalidValue(`${field}.port`, port.port ?? 0, portRange));
  errors.push(...oneOf(port.protocol, ["SCTP", "TCP", "UDP"], `${field}.protocol`));
  if (spec.type !== "ExternalName") errors.push(...validatePortReference(port.targetPort, `${field}.targetPort`));
  if (port.nodePort && (spec.type === "ClusterIP" || spec.type === "ExternalName")) {
    errors.push(forbiddenValue(`${field}.nodePort`, `may not be used when \`type\` is '${spec.type}'`));
  } else if (port.nodePort && !isPort(port.nodePort)) {
    errors.push(invalidValue(`${field}.nodePort`, port.nodePort, portRange));
  }
  return errors;
}

/** Upstream quotes the pair that repeats as its internal structure. */
function repeatedPorts(ports: readonly ServicePort[]): FieldError[] {
  const seen = new Set<string>();
  const errors: FieldError[] = [];
  ports.forEach(({ protocol = "TCP", port, nodePort }, index) => {
    const pair = { Name: "", Protocol: protocol, AppProtocol: null, Port: port, TargetPort: 0, NodePort: 0 };
    const key = `${protocol} ${port}`;
    if (seen.has(key)) errors.push(duplicateValue(`spec.ports[${index}]`, pair));
    seen.add(key);
    if (!nodePort) return;
    const nodeKey = `node ${protocol} ${nodePort}`;
    if (seen.has(nodeKey)) {
      const twin = { ...pair, Port: 0, NodePort: nodePort };
      errors.push(duplicateValue(`spec.ports[${index}].nodePort`, twin));
    }
    seen.add(nodeKey);
  });
  return errors;
}

function validatePorts(spec: ServiceSpec): FieldError[] {
  const ports = spec.ports ?? [];
  if (ports.length === 0 && !isHeadless(spec) && spec.type !== "ExternalName") return [requiredValue("spec.ports")];
  return [
    ...ports.flatMap((port, index) => validatePort(port, spec, `spec.ports[${index}]`)),
    ...repeated(
      ports,
      ({ name }) => name,
      (index) => `spec.ports[${index}].name`,
    ),
    ...repeatedPorts(ports),
  ];
}

function validateAffinity(spec: ServiceSpec): FieldError[] {
  const errors = oneOf(spec.sessionAffinity, ["ClientIP", "None"], "spec.sessionAffinity");
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (spec.sessionAffinity === "None" && spec.sessionAffinityConfig !== undefined) {
    const text = "must not be set when session affinity is None";
    errors.push(forbiddenValue("spec.sessionAffinityConfig", text));
  } else if (seconds !== undefined && (seconds <= 0 || seconds > affinityLimitSeconds)) {
    const field = "spec.sessionAffinityConfig.clientIP.timeoutSeconds";
    errors.push(invalidValue(field, seconds, `must be greater than 0 and less than ${affinityLimitSeconds}`));
  }
  return errors;
}

function validateTrafficPolicies(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.externalTrafficPolicy !== undefined) {
    if (isExternal(spec)) {
      errors.push(...oneOf(spec.externalTrafficPolicy, ["Cluster", "Local"], "spec.externalTrafficPolicy"));
    } else {
      const text = "may only be set for externally-accessible services";
      errors.push(invalidValue("spec.externalTrafficPolicy", spec.externalTrafficPolicy, text));
    }
  }
  if (spec.internalTrafficPolicy !== undefined && !["Cluster", "Local"].includes(spec.internalTrafficPolicy)) {
    errors.push(unsupportedValue("spec.internalTrafficPolicy", spec.internalTrafficPolicy, ["Cluster", "Local"]));
  }
  if (spec.trafficDistribution !== undefined) {
    const known = ["PreferClose", "PreferSameZone", "PreferSameNode"];
    if (!known.includes(spec.trafficDistribution)) {
      errors.push(unsupportedValue("spec.trafficDistribution", spec.trafficDistribution, known));
    }
  }
  return errors;
}

function isCidr(text: string): boolean {
  try {
    parseCidr(text.trim(), { masksHostBits: true });
    return true;
  } catch (error) {
    if (error instanceof IpParseError) return false;
    throw error;
  }
}

function validateLoadBalancer(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const isLoadBalancer = spec.type === "LoadBalancer";
  const ranges = spec.loadBalancerSourceRanges ?? [];
  if (ranges.length > 0 && !isLoadBalancer) {
    errors.push(forbiddenValue("spec.LoadBalancerSourceRanges", "may only be used when `type` is 'LoadBalancer'"));
  }
  ranges.forEach((range, index) => {
    const field = `spec.LoadBalancerSourceRanges[${index}]`;
    if (!isCidr(range)) errors.push(invalidValue(field, range, cidrSentence));
  });
  for (const part of ["allocateLoadBalancerNodePorts", "loadBalancerClass"] as const) {
    if (spec[part] !== undefined && !isLoadBalancer) {
      errors.push(forbiddenValue(`spec.${part}`, "may only be used when `type` is 'LoadBalancer'"));
    }
  }
  return errors;
}

/** An address of everybody, of nobody or of the machine itself leads nowhere. */
function externalMistakes(address: string, field: string): FieldError[] {
  if (!isIpAddress(address)) return [invalidValue(field, address, addressSentence)];
  return forbiddenRanges
    .filter(({ contains }) => contains(address))
    .map(({ text }) => invalidValue(field, address, text));
}

const forbiddenRanges: readonly {
  readonly text: string;
  readonly contains: (address: string) => boolean;
}[] = [
  { text: "may not be unspecified (0.0.0.0 or ::)", contains: (address) => address === "0.0.0.0" || address === "::" },
  {
    text: "may not be in the loopback range (127.0.0.0/8, ::1/128)",
    contains: (address) => address.startsWith("127.") || address === "::1",
  },
  {
    text: "may not be in the link-local range (169.254.0.0/16, fe80::/10)",
    contains: (address) => address.startsWith("169.254.") || /^fe[89ab]/i.test(address),
  },
  {
    text: "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)",
    contains: (address) => address.startsWith("224.0.0.") || /^ff02:/i.test(address),
  },
];

/** The node port of the health check is the load balancer's to ask. */
function healthCheckMistakes({ type, externalTrafficPolicy, healthCheckNodePort = 0 }: ServiceSpec): FieldError[] {
  if (healthCheckNodePort === 0 || (type === "LoadBalancer" && externalTrafficPolicy === "Local")) return [];
  const text = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
  return [invalidValue("spec.healthCheckNodePort", healthCheckNodePort, text)];
}

export function validateService({ spec = {} }: Service): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.type === "ExternalName") {
    if (!spec.externalName) errors.push(requiredValue("spec.externalName"));
    else {
      const name = spec.externalName.replace(/\.$/, "");
      errors.push(...subdomainMistakes(name).map((text) => invalidValue("spec.externalName", name, text)));
    }
  }
  return [
    ...validatePorts(spec),
    ...validateAffinity(spec),
    ...addressMistakes(spec),
    ...typeMistakes(spec),
    ...labelMistakes(spec.selector, "spec.selector"),
    ...oneOf(spec.type, types, "spec.type"),
    ...errors,
    ...(spec.externalIPs ?? []).flatMap((address, index) => externalMistakes(address, `spec.externalIPs[${index}]`)),
    ...validateLoadBalancer(spec),
    ...validateTrafficPolicies(spec),
    ...healthCheckMistakes(spec),
  ];
}

/** A Service keeps the addresses it was given; only a change to or from ExternalName may drop or gain all. */
export function validateServiceUpdate(service: Service, { old, subresource }: UpdateContext<Service>): FieldError[] {
  return subresource === "" ? addressUpdateMistakes(service, old) : [];
}
