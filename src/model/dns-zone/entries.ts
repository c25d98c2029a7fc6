/** What the zone keeps of each object: only what answers are made of. */
import type { EndpointSlice, Service } from "../../api/generated/types.ts";
import { isIpAddress, parseIpAddress } from "../../lib/ip/index.ts";
import type { Provenance } from "../provenance.ts";

export interface ZonePort {
  /** "" for an unnamed port. */
  readonly name: string;
  /** Lower case, as in names: "tcp". */
  readonly protocol: string;
  readonly port: number;
}

export type ServiceEntry = {
  readonly namespace: string;
  readonly name: string;
  readonly cause: Provenance;
} & (
  | { readonly type: "cluster-ip"; readonly addresses: readonly string[]; readonly ports: readonly ZonePort[] }
  | { readonly type: "headless" }
  /** `target` with its final dot. */
  | { readonly type: "external"; readonly target: string }
  /** An ExternalName that is an address, or a service without address yet: there is nothing to say. */
  | { readonly type: "silent" }
);

export interface EndpointEntry {
  /** Canonical text. */
  readonly address: string;
  /** The label before the service's name: the endpoint's hostname, else its pod's name if wanted, else the address with dashes. */
  readonly hostname: string;
  readonly cause: Provenance;
}

export interface SliceEntry {
  readonly namespace: string;
  readonly service: string;
  readonly endpoints: readonly EndpointEntry[];
  readonly ports: readonly ZonePort[];
}

export function serviceEntry(service: Service): ServiceEntry {
  const { namespace = "", name = "" } = service.metadata ?? {};
  const base = { namespace, name, cause: { kind: "Service", namespace, name } };
  const { spec = {} } = service;
  if (spec.type === "ExternalName") {
    const target = (spec.externalName ?? "").toLowerCase().replace(/\.?$/, ".");
    const isName = target !== "." && !isIpAddress(target.slice(0, -1));
    return isName ? { ...base, type: "external", target } : { ...base, type: "silent" };
  }
  const addresses = spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP]);
  if (addresses.includes("None")) return { ...base, type: "headless" };
  const known = addresses.filter(isIpAddress).map(parseIpAddress);
  if (known.length === 0) return { ...base, type: "silent" };
  return { ...base, type: "cluster-ip", addresses: known, ports: (spec.ports ?? []).map(portEntry) };
}

/** Undefined for a slice of no service. Endpoints that are not ready are left out; `ready` unset counts as ready. */
export function sliceEntry(
  slice: EndpointSlice,
  { usesPodNames = false }: { readonly usesPodNames?: boolean } = {},
): SliceEntry | undefined {
  const { namespace = "", name = "", labels = {} } = slice.metadata ?? {};
  const service = labels["kubernetes.io/service-name"];
  if (service === undefined || service === "" || slice.addressType === "FQDN") return undefined;
  const cause = { kind: "EndpointSlice", namespace, name };
  const ready = (slice.endpoints ?? []).filter((endpoint) => endpoint.conditions?.ready !== false);
  return {
    namespace,
    service,
    endpoints: ready.flatMap((endpoint) =>
      endpoint.addresses.filter(isIpAddress).map((text) => {
        const address = parseIpAddress(text);
        const podName = usesPodNames ? (endpoint.targetRef?.name ?? "") : "";
        const label = [endpoint.hostname ?? "", podName].find((one) => one !== "")?.toLowerCase();
        return {
          address,
          hostname: label ?? addressLabel(address),
          cause: { ...cause, detail: `endpoint ${address}` },
        };
      }),
    ),
    ports: (slice.ports ?? []).flatMap((port) =>
      port.port === undefined ? [] : [portEntry({ ...port, port: port.port })],
    ),
  };
}

/** `10.244.1.5` as the label `10-244-1-5`; as upstream, the colons of IPv6 become dashes too. */
function addressLabel(address: string): string {
  return address.replaceAll(/[.:]/g, "-");
}

function portEntry(port: { readonly name?: string; readonly protocol?: string; readonly port: number }): ZonePort {
  return { name: (port.name ?? "").toLowerCase(), protocol: (port.protocol ?? "TCP").toLowerCase(), port: port.port };
}
