import { isIpAddress } from "../../lib/ip/index.ts";
import { invalidValue, requiredValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type { Endpoints, EndpointSubset } from "../generated/types.ts";
import { ageColumn, ageOf, column, listText, nameColumn, nameOf } from "../registry/columns.ts";
import { addressWarnings } from "../registry/addresses.ts";
import { addressSentence, isPort, oneOf, portRange } from "../registry/checks.ts";
import { defineResource } from "../registry/define.ts";
import { resources } from "../resources.ts";

/** `10.244.1.2:80,10.244.2.3:80 + 1 more...`. */
function endpointsText(subsets: readonly EndpointSubset[]): string {
  const places = subsets.flatMap(({ addresses = [], ports = [] }) => {
    if (ports.length === 0) return addresses.map(({ ip }) => ip);
    return ports.flatMap(({ port }) => addresses.map(({ ip }) => `${ip.includes(":") ? `[${ip}]` : ip}:${port}`));
  });
  return subsets.length === 0 ? "<none>" : listText(places, 3);
}

function validateSubset(subset: EndpointSubset, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
  if (addresses.length + notReadyAddresses.length === 0) {
    errors.push(requiredValue(field, "must specify `addresses` or `notReadyAddresses`"));
  }
  for (const [part, list] of [
    ["addresses", addresses],
    ["notReadyAddresses", notReadyAddresses],
  ] as const) {
    list.forEach(({ ip }, index) => {
      if (!isIpAddress(ip ?? "")) errors.push(invalidValue(`${field}.${part}[${index}].ip`, ip ?? "", addressSentence));
    });
  }
  ports.forEach((port, index) => {
    const path = `${field}.ports[${index}]`;
    if (!port.name && ports.length > 1) errors.push(requiredValue(`${path}.name`));
    if (!isPort(port.port)) errors.push(invalidValue(`${path}.port`, port.port ?? 0, portRange));
    errors.push(...oneOf(port.protocol, ["SCTP", "TCP", "UDP"], `${path}.protocol`));
  });
  return errors;
}

/** What the controller of Endpoints writes is not its owner's to mend. */
const managedBy = { label: "endpoints.kubernetes.io/managed-by", controller: "endpoint-controller" } as const;

function endpointsWarnings({ metadata, subsets = [] }: Endpoints): readonly string[] {
  if (metadata?.labels?.[managedBy.label] === managedBy.controller) return [];
  return subsets.flatMap((subset, index) =>
    (["addresses", "notReadyAddresses"] as const).flatMap((part) =>
      (subset[part] ?? []).flatMap(({ ip }, at) => addressWarnings(ip, `subsets[${index}].${part}[${at}].ip`)),
    ),
  );
}

export const endpoints = defineResource<Endpoints>(resources.endpoints, {
  deprecationWarning: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
  singular: "endpoints",
  shortNames: ["ep"],
  columns: [nameColumn, column("Endpoints", "Addresses and ports that take the service's traffic."), ageColumn],
  cells: (object, now) => [nameOf(object), endpointsText(object.subsets ?? []), ageOf(object, now)],
  defaults(draft) {
    for (const { ports } of draft.subsets ?? []) {
      for (const port of ports ?? []) port.protocol ||= "TCP";
    }
  },
  warnings: endpointsWarnings,
  validate: ({ subsets = [] }) => subsets.flatMap((subset, index) => validateSubset(subset, `subsets[${index}]`)),
});
