/** Which endpoints take the traffic of a service port, as upstream's proxies choose them. */
import type { EndpointSlice, Service, ServicePort } from "../../api/generated/types.ts";
import { isIpAddress, parseIpAddress, type IpAddress } from "../../lib/ip/index.ts";
import type { Provenance } from "../provenance.ts";
import type { Family } from "../rules/index.ts";

export interface ServiceEndpoint {
  readonly address: IpAddress;
  readonly port: number;
  readonly isReady: boolean;
  /** Passes its readiness probe although it may be ending. */
  readonly isServing: boolean;
  readonly isTerminating: boolean;
  readonly isLocal: boolean;
  /** Whom the controller meant it for; empty: anybody. */
  readonly forNodes: readonly string[];
  readonly forZones: readonly string[];
  readonly cause: Provenance;
}

/** Where this node is. */
export interface Topology {
  readonly nodeName: string;
  /** Undefined: the node is in no zone. */
  readonly zone: string | undefined;
}

export interface EndpointsInUse {
  /** For traffic that may go anywhere; near ones only, where hints say so. */
  readonly cluster: readonly ServiceEndpoint[];
  /** For traffic that must stay on the node. */
  readonly local: readonly ServiceEndpoint[];
}

/** The endpoints of `port` in `slices` (of any family, of this service), once each, in the order of their addresses. */
export function endpointsOf(
  port: Pick<ServicePort, "name">,
  slices: readonly EndpointSlice[],
  options: { readonly family: Family; readonly nodeName: string },
): readonly ServiceEndpoint[] {
  const addressType = options.family === "ip" ? "IPv4" : "IPv6";
  const found = new Map<string, ServiceEndpoint>();
  for (const slice of slices) {
    if (slice.addressType !== addressType) continue;
    const number = slice.ports?.find((one) => (one.name ?? "") === (port.name ?? ""))?.port;
    if (number === undefined) continue;
    for (const endpoint of slice.endpoints ?? []) {
      const text = endpoint.addresses[0];
      if (text === undefined || !isIpAddress(text)) continue;
      const address = parseIpAddress(text);
      const { ready = true, serving = ready, terminating = false } = endpoint.conditions ?? {};
      const known = found.get(`${address} ${number}`);
      // While an endpoint moves between slices it may be in two: the one that says ready wins.
      if (known?.isReady === true) continue;
      const { targetRef } = endpoint;
      found.set(`${address} ${number}`, {
        address,
        port: number,
        isReady: ready,
        isServing: serving,
        isTerminating: terminating,
        isLocal: endpoint.nodeName === options.nodeName,
        forNodes: (endpoint.hints?.forNodes ?? []).map(({ name }) => name),
        forZones: (endpoint.hints?.forZones ?? []).map(({ name }) => name),
        cause:
          targetRef?.name === undefined
            ? provenance("EndpointSlice", slice.metadata?.namespace, slice.metadata?.name ?? "")
            : provenance(targetRef.kind ?? "Pod", targetRef.namespace ?? slice.metadata?.namespace, targetRef.name),
      });
    }
  }
  return [...found].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, endpoint]) => endpoint);
}

function provenance(kind: string, namespace: string | undefined, name: string): Provenance {
  return namespace === undefined ? { kind, name } : { kind, namespace, name };
}

/** The ready ones; where there is none, those that still serve while they terminate. Cluster and node decide separately. */
export function chooseEndpoints(endpoints: readonly ServiceEndpoint[], topology: Topology): EndpointsInUse {
  return {
    cluster: nearOnes(readyOrServing(endpoints), topology),
    local: readyOrServing(endpoints.filter(({ isLocal }) => isLocal)),
  };
}

/** Hints count where every ready endpoint has one and one of them is for here; else traffic would find nobody, or too few. */
function nearOnes(endpoints: readonly ServiceEndpoint[], { nodeName, zone }: Topology): readonly ServiceEndpoint[] {
  for (const [hints, here] of [
    ["forNodes", nodeName],
    ["forZones", zone],
  ] as const) {
    if (here === undefined || !endpoints.every((endpoint) => endpoint.isReady && endpoint[hints].length > 0)) continue;
    const near = endpoints.filter((endpoint) => endpoint[hints].includes(here));
    if (near.length > 0) return near;
  }
  return endpoints;
}

function readyOrServing(endpoints: readonly ServiceEndpoint[]): readonly ServiceEndpoint[] {
  const ready = endpoints.filter(({ isReady }) => isReady);
  if (ready.length > 0) return ready;
  return endpoints.filter(({ isServing, isTerminating }) => isServing && isTerminating);
}

/** What a load balancer asks a node about a service: has it endpoints of its own? */
export interface HealthCheck {
  readonly port: number;
  /** Ready ones on the node, each once. */
  readonly localEndpoints: number;
}

/** Undefined unless the service has a health check port: a load balancer with externalTrafficPolicy Local. */
export function healthCheckOf(
  service: Service,
  slices: readonly EndpointSlice[],
  nodeName: string,
): HealthCheck | undefined {
  const { type, externalTrafficPolicy, healthCheckNodePort: port = 0 } = service.spec ?? {};
  if (type !== "LoadBalancer" || externalTrafficPolicy !== "Local" || port === 0) return undefined;
  // A pod with an address of each family is one endpoint.
  const counts = ["IPv4", "IPv6"].map((family) => {
    const addresses = slices
      .filter(({ addressType }) => addressType === family)
      .flatMap(({ endpoints = [] }) => endpoints)
      .filter((endpoint) => endpoint.nodeName === nodeName && (endpoint.conditions?.ready ?? true))
      .map((endpoint) => endpoint.addresses[0]);
    return new Set(addresses).size;
  });
  return { port, localEndpoints: Math.max(...counts) };
}

/** Whether this proxy serves it: not headless, not an ExternalName, not left to another proxy. */
export function isProxied(service: Service): boolean {
  const { type, clusterIP } = service.spec ?? {};
  const labels = service.metadata?.labels ?? {};
  if (labels["service.kubernetes.io/service-proxy-name"] !== undefined) return false;
  if (labels["service.kubernetes.io/headless"] !== undefined) return false;
  return type !== "ExternalName" && clusterIP !== undefined && clusterIP !== "" && clusterIP !== "None";
}
