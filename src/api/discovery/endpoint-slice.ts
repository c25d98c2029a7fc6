import { ipFamily, isIpAddress, parseIpAddress } from "../../lib/ip/index.ts";
import { dnsLabelMistakes, subdomainMistakes } from "../../lib/labels/index.ts";
import { duplicateValue, invalidValue, requiredValue, tooMany, unsupportedValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type { Endpoint, EndpointSlice } from "../generated/types.ts";
import { addressWarnings } from "../registry/addresses.ts";
import { ageColumn, ageOf, column, listText, nameColumn, nameOf } from "../registry/columns.ts";
import { isPort, oneOf, portRange } from "../registry/checks.ts";
import { defineResource } from "../registry/define.ts";
import { immutable } from "../registry/metadata.ts";
import { resources } from "../resources.ts";

const maximumEndpoints = 1000;
const maximumAddresses = 100;
const maximumPorts = 20_000;
const addressTypes = ["FQDN", "IPv4", "IPv6"];

function validateAddress(address: string, type: string, field: string): FieldError[] {
  if (type === "FQDN") return subdomainMistakes(address).map((text) => invalidValue(field, address, text));
  if (type !== "IPv4" && type !== "IPv6") return [];
  if (isIpAddress(address) && ipFamily(parseIpAddress(address)) === type) return [];
  return [invalidValue(field, address, `must be an ${type} address`)];
}

function validateEndpoint(endpoint: Endpoint, type: string, field: string): FieldError[] {
  const addresses = endpoint.addresses ?? [];
  const errors = addresses.flatMap((address, index) => validateAddress(address, type, `${field}.addresses[${index}]`));
  if (addresses.length === 0) errors.push(requiredValue(`${field}.addresses`, "must contain at least 1 address"));
  if (addresses.length > maximumAddresses) {
    errors.push(tooMany(`${field}.addresses`, addresses.length, maximumAddresses));
  }
  if (endpoint.hostname) {
    errors.push(
      ...dnsLabelMistakes(endpoint.hostname).map((text) => invalidValue(`${field}.hostname`, endpoint.hostname, text)),
    );
  }
  if (endpoint.nodeName) {
    errors.push(
      ...subdomainMistakes(endpoint.nodeName).map((text) => invalidValue(`${field}.nodeName`, endpoint.nodeName, text)),
    );
  }
  return errors;
}

function validatePorts(slice: EndpointSlice): FieldError[] {
  const ports = slice.ports ?? [];
  const names = new Set<string>();
  const errors = ports.flatMap((port, index) => {
    const field = `ports[${index}]`;
    const found: FieldError[] = [];
    const name = port.name ?? "";
    if (name !== "") found.push(...dnsLabelMistakes(name).map((text) => invalidValue(`${field}.name`, name, text)));
    if (names.has(name)) found.push(duplicateValue(`${field}.name`, name));
    names.add(name);
    if (port.port !== undefined && !isPort(port.port)) found.push(invalidValue(`${field}.port`, port.port, portRange));
    return [...found, ...oneOf(port.protocol, ["SCTP", "TCP", "UDP"], `${field}.protocol`)];
  });
  return ports.length > maximumPorts ? [tooMany("ports", ports.length, maximumPorts), ...errors] : errors;
}

function validateSlice(slice: EndpointSlice): FieldError[] {
  const endpoints = slice.endpoints ?? [];
  const errors: FieldError[] = [];
  if (!slice.addressType) errors.push(requiredValue("addressType"));
  else if (!addressTypes.includes(slice.addressType)) {
    errors.push(unsupportedValue("addressType", slice.addressType, addressTypes));
  }
  if (endpoints.length > maximumEndpoints) errors.push(tooMany("endpoints", endpoints.length, maximumEndpoints));
  else {
    endpoints.forEach((endpoint, index) => {
      errors.push(...validateEndpoint(endpoint, slice.addressType, `endpoints[${index}]`));
    });
  }
  return [...errors, ...validatePorts(slice)];
}

const managedByLabel = "endpointslice.kubernetes.io/managed-by";
/** What these write is not its owner's to mend. */
const controllers = ["endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"];

function sliceWarnings({ metadata, addressType, endpoints = [] }: EndpointSlice): readonly string[] {
  if (addressType === "FQDN" || controllers.includes(metadata?.labels?.[managedByLabel] ?? "")) return [];
  return endpoints.flatMap(({ addresses }, index) =>
    addresses.flatMap((address, at) => addressWarnings(address, `endpoints[${index}].addresses[${at}]`)),
  );
}

export const endpointSlices = defineResource(resources.endpointSlices, {
  countsGeneration: true,
  columns: [
    nameColumn,
    column("AddressType", "IPv4, IPv6 or FQDN."),
    column("Ports", "The ports of all endpoints."),
    column("Endpoints", "The endpoints' addresses."),
    ageColumn,
  ],
  cells: (slice, now) => {
    const ports = (slice.ports ?? []).map(({ name, port }) => (port === undefined ? (name ?? "*") : String(port)));
    const addresses = (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses ?? []);
    return [
      nameOf(slice),
      slice.addressType ?? "",
      ports.length === 0 ? "<unset>" : listText(ports, 3),
      addresses.length === 0 ? "<unset>" : listText(addresses, 3),
      ageOf(slice, now),
    ];
  },
  defaults(draft) {
    for (const port of draft.ports ?? []) {
      port.name ??= "";
      port.protocol ||= "TCP";
    }
  },
  warnings: sliceWarnings,
  validate: validateSlice,
  validateUpdate: (slice, { old }) =>
    slice.addressType === old.addressType ? [] : [invalidValue("addressType", slice.addressType, immutable)],
});
