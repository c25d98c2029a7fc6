import { cidrContains, IpParseError, parseCidr } from "../../lib/ip/index.ts";
import type { Cidr } from "../../lib/ip/index.ts";
import { structuredSelectorText } from "../../lib/labels/index.ts";
import { validateSelector } from "../registry/selector.ts";
import { validatePortReference } from "../core/container-validation.ts";
import { forbiddenValue, invalidValue, requiredValue, unsupportedValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type { IPBlock, NetworkPolicyPeer, NetworkPolicyPort } from "../generated/types.ts";
import { cidrWarnings } from "../registry/addresses.ts";
import { ageColumn, ageOf, column, nameColumn, nameOf } from "../registry/columns.ts";
import { cidrSentence, isPort, oneOf, portRange } from "../registry/checks.ts";
import { defineResource } from "../registry/define.ts";
import { resources } from "../resources.ts";

function readCidr(text: string): Cidr | undefined {
  try {
    return parseCidr(text, { masksHostBits: true });
  } catch (error) {
    if (error instanceof IpParseError) return undefined;
    throw error;
  }
}

function prefixOf(cidr: Cidr): number {
  return Number(cidr.slice(cidr.indexOf("/") + 1));
}

function validateBlock(block: IPBlock, field: string): FieldError[] {
  if (!block.cidr) return [requiredValue(`${field}.cidr`)];
  const whole = readCidr(block.cidr);
  if (whole === undefined) return [invalidValue(`${field}.cidr`, block.cidr, cidrSentence)];
  return (block.except ?? []).flatMap((text, index) => {
    const path = `${field}.except[${index}]`;
    const part = readCidr(text);
    if (part === undefined) return [invalidValue(path, text, cidrSentence)];
    const network = part.slice(0, part.indexOf("/"));
    const isInside =
      cidrContains(whole, network as Parameters<typeof cidrContains>[1]) && prefixOf(part) > prefixOf(whole);
    return isInside ? [] : [invalidValue(path, text, `must be a strict subset of \`cidr\``)];
  });
}

/** Of the ranges of all peers: "10.0.0.5/24" is accepted and means the whole of 10.0.0.0/24. */
function peerWarnings(peers: readonly NetworkPolicyPeer[] = [], field: string): readonly string[] {
  return peers.flatMap(({ ipBlock }, index) => {
    if (ipBlock === undefined) return [];
    const path = `${field}[${index}].ipBlock`;
    return [
      ...cidrWarnings(ipBlock.cidr, `${path}.cidr`),
      ...(ipBlock.except ?? []).flatMap((range, at) => cidrWarnings(range, `${path}.except[${at}]`)),
    ];
  });
}

function validatePeer(peer: NetworkPolicyPeer, field: string): FieldError[] {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  if (podSelector === undefined && namespaceSelector === undefined && ipBlock === undefined) {
    return [requiredValue(field, "must specify a peer")];
  }
  if (ipBlock !== undefined && (podSelector !== undefined || namespaceSelector !== undefined)) {
    return [forbiddenValue(field, "may not specify both ipBlock and another peer")];
  }
  return [
    ...validateSelector(podSelector, `${field}.podSelector`),
    ...validateSelector(namespaceSelector, `${field}.namespaceSelector`),
    ...(ipBlock === undefined ? [] : validateBlock(ipBlock, `${field}.ipBlock`)),
  ];
}

function validatePort({ protocol, port, endPort }: NetworkPolicyPort, field: string): FieldError[] {
  const errors = oneOf(protocol, ["SCTP", "TCP", "UDP"], `${field}.protocol`);
  if (port !== undefined) errors.push(...validatePortReference(port, `${field}.port`));
  if (endPort === undefined) return errors;
  if (port === undefined) {
    errors.push(requiredValue(`${field}.endPort`, "may not be specified when `port` is not specified"));
  } else if (typeof port === "string") {
    errors.push(requiredValue(`${field}.endPort`, "may not be specified when `port` is non-numeric"));
  } else if (!isPort(endPort)) errors.push(invalidValue(`${field}.endPort`, endPort, portRange));
  else if (endPort < port)
    errors.push(invalidValue(`${field}.endPort`, endPort, "must be greater than or equal to `port`"));
  return errors;
}

interface Rule {
  readonly ports: readonly NetworkPolicyPort[] | undefined;
  readonly peers: readonly NetworkPolicyPeer[] | undefined;
}

function validateRule({ ports, peers }: Rule, field: string, peersName: "from" | "to"): FieldError[] {
  return [
    ...(ports ?? []).flatMap((port, index) => validatePort(port, `${field}.ports[${index}]`)),
    ...(peers ?? []).flatMap((peer, index) => validatePeer(peer, `${field}.${peersName}[${index}]`)),
  ];
}

export const networkPolicies = defineResource(resources.networkPolicies, {
  shortNames: ["netpol"],
  countsGeneration: true,
  columns: [nameColumn, column("Pod-Selector", "The pods that the policy is for."), ageColumn],
  cells: (object, now) => [nameOf(object), structuredSelectorText(object.spec?.podSelector), ageOf(object, now)],
  defaults({ spec }) {
    if (!spec) return;
    for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
      for (const port of rule.ports ?? []) port.protocol ??= "TCP";
    }
    if ((spec.policyTypes ?? []).length === 0) {
      spec.policyTypes = (spec.egress ?? []).length === 0 ? ["Ingress"] : ["Ingress", "Egress"];
    }
    spec.podSelector ??= {};
  },
  warnings: ({ spec }) => [
    ...(spec?.ingress ?? []).flatMap(({ from }, index) => peerWarnings(from, `spec.ingress[${index}].from`)),
    ...(spec?.egress ?? []).flatMap(({ to }, index) => peerWarnings(to, `spec.egress[${index}].to`)),
  ],
  validate({ spec }) {
    const types = spec?.policyTypes ?? [];
    const known = ["Ingress", "Egress"];
    return [
      ...validateSelector(spec?.podSelector, "spec.podSelector"),
      ...(spec?.ingress ?? []).flatMap((rule, index) =>
        validateRule({ ports: rule.ports, peers: rule.from }, `spec.ingress[${index}]`, "from"),
      ),
      ...(spec?.egress ?? []).flatMap((rule, index) =>
        validateRule({ ports: rule.ports, peers: rule.to }, `spec.egress[${index}]`, "to"),
      ),
      ...types.flatMap((type, index) =>
        known.includes(type) ? [] : [unsupportedValue(`spec.policyTypes[${index}]`, type, known)],
      ),
    ];
  },
});
