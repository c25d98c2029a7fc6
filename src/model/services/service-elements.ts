/**
 * The elements of one service in one address family. They come in an order in which none refers to a later one, so that
 * a change too large for one transaction can be cut anywhere.
 */
import type { EndpointSlice, Service, ServicePort } from "../../api/generated/types.ts";
import { isIpAddress, mergeCidrs, parseCidr, parseIpAddress, type Cidr, type IpAddress } from "../../lib/ip/index.ts";
import { provenanceText, type Provenance } from "../provenance.ts";
import { keyText, type Element, type ElementData, type Part, type Value } from "../rules/index.ts";
import { chooseEndpoints, endpointsOf, type ServiceEndpoint } from "./endpoints.ts";
import { localBit, tableName } from "./layout.ts";
import { familyOf, isPodOfNode, type FamilyNetwork } from "./node-network.ts";

/** Elements that only one of several claimants may place, by what they claim ("ip frontend 10.96.0.1 . tcp . 443"). */
type Claims = ReadonlyMap<string, Part>;

export interface ServiceElements {
  /** Keyed by ids of the service: nobody else can have them. */
  readonly own: Part;
  readonly claims: Claims;
  readonly counts: readonly number[];
  readonly affinityCounts: readonly number[];
  readonly affinitySeconds: readonly number[];
  /** Where connections may have been sent to. */
  readonly backends: readonly Backend[];
}

/** An endpoint as connection tracking shows it. */
export interface Backend {
  /** What `ct mark` holds under `serviceMask`. */
  readonly mark: number;
  readonly protocol: string;
  readonly address: IpAddress;
  readonly port: number;
}

export interface ServiceElementsOptions {
  readonly network: FamilyNetwork;
  readonly nodeName: string;
  readonly zone: string | undefined;
  readonly slices: readonly EndpointSlice[];
  readonly portId: (name: string) => number;
  /** Ids of endpoints that clients stick to. */
  readonly endpointId: (name: string) => number;
}

/** `default/web port http`, the name under which a port of a service has its id. */
export function servicePortName(service: Service, port: ServicePort): string {
  return provenanceText(portCause(service, port)).slice("Service ".length);
}

function portCause(service: Service, port: ServicePort): Provenance {
  const { namespace = "", name = "" } = service.metadata ?? {};
  return { kind: "Service", namespace, name, detail: `port ${port.name ?? port.port}` };
}

/** `service` must be one that `isProxied`. Empty where it has no cluster IP of the family. */
export function serviceElements(service: Service, options: ServiceElementsOptions): ServiceElements {
  const { network } = options;
  const spec = service.spec ?? {};
  const clusterIPs = ofFamily(spec.clusterIPs ?? [spec.clusterIP ?? ""], network);
  const result: Draft = {
    own: [],
    claims: new Map(),
    counts: [],
    affinityCounts: [],
    affinitySeconds: [],
    backends: [],
  };
  if (clusterIPs.length === 0) return result;
  for (const port of spec.ports ?? []) {
    const draft = new PortDraft(result, service, port, options);
    draft.addBackends();
    draft.addFrontends(clusterIPs);
  }
  return result;
}

interface Draft {
  readonly own: Element[];
  readonly claims: Map<string, Part>;
  readonly counts: number[];
  readonly affinityCounts: number[];
  readonly affinitySeconds: number[];
  readonly backends: Backend[];
}

/** Collects the elements of one port into `draft`; lives no longer than the planning of its service. */
class PortDraft {
  readonly #draft: Draft;
  readonly #service: Service;
  readonly #port: ServicePort;
  readonly #options: ServiceElementsOptions;
  readonly #id: number;
  readonly #name: string;
  readonly #cause: Provenance;
  readonly #protocol: string;

  constructor(draft: Draft, service: Service, port: ServicePort, options: ServiceElementsOptions) {
    this.#draft = draft;
    this.#service = service;
    this.#port = port;
    this.#options = options;
    this.#name = servicePortName(service, port);
    this.#id = options.portId(this.#name);
    this.#cause = portCause(service, port);
    this.#protocol = (port.protocol ?? "TCP").toLowerCase();
  }

  addBackends(): void {
    const { slices, network, nodeName, zone } = this.#options;
    const endpoints = endpointsOf(this.#port, slices, { family: network.family, nodeName });
    const { cluster, local } = chooseEndpoints(endpoints, { nodeName, zone });
    this.#addAffinityEndpoints(new Set([...cluster, ...local]));
    if (this.#isInternalLocal() || this.#isExternalLocal()) {
      if (local.length > 0) this.#addVariant(this.#id | localBit, local);
      // Endpoints elsewhere only: silence, so that load balancers and clients try another node.
      else if (cluster.length > 0) this.#add("counts", [this.#id | localBit], { verdict: { kind: "drop" } });
    }
    if (cluster.length > 0) this.#addVariant(this.#id, cluster);
    for (const { address, cause, isLocal } of new Set([...cluster, ...local])) {
      if (!isLocal || !isPodOfNode(network, address)) continue;
      this.#claim(`hairpin ${address}`, [this.#element("hairpin", [address, address], undefined, cause)]);
    }
  }

  /** One choice among `endpoints`, under the id or its local variant. */
  #addVariant(id: number, endpoints: readonly ServiceEndpoint[]): void {
    const count = endpoints.length;
    const seconds = this.#affinitySeconds();
    for (const { address, port } of endpoints) {
      this.#draft.backends.push({ mark: id, protocol: this.#protocol, address, port });
    }
    if (seconds === undefined) {
      this.#draft.counts.push(count);
      endpoints.forEach(({ address, port, cause }, slot) =>
        this.#add("slots", [id, slot], { values: [address, port] }, cause),
      );
      this.#add("counts", [id], { verdict: { kind: "goto", chain: `n${count}` } });
      return;
    }
    this.#draft.affinityCounts.push(count);
    this.#draft.affinitySeconds.push(seconds);
    endpoints.forEach((endpoint, slot) =>
      this.#add("affinity-slots", [id, slot], { values: [this.#endpointId(endpoint)] }, endpoint.cause),
    );
    this.#add("affinity-counts", [id], { verdict: { kind: "jump", chain: `p${count}` } });
    this.#add("counts", [id], { verdict: { kind: "goto", chain: `aff${seconds}` } });
  }

  #addAffinityEndpoints(endpoints: ReadonlySet<ServiceEndpoint>): void {
    if (this.#affinitySeconds() === undefined) return;
    for (const endpoint of endpoints) {
      const { address, port, cause } = endpoint;
      this.#add("affinity-endpoints", [this.#endpointId(endpoint)], { values: [address, port] }, cause);
    }
  }

  #endpointId({ address, port }: ServiceEndpoint): number {
    return this.#options.endpointId(`${this.#name} ${address} ${port}`);
  }

  addFrontends(clusterIPs: readonly IpAddress[]): void {
    const { network } = this.#options;
    const { nodePort } = this.#port;
    const spec = this.#service.spec ?? {};
    const external = this.#isExternalLocal() ? "ext-local" : undefined;
    for (const address of clusterIPs) {
      this.#claim(`service-ip ${address}`, [this.#element("service-ips", [address])]);
      this.#addFrontend(address, this.#isInternalLocal() ? "local" : undefined);
    }
    const ranges = sourceRanges(this.#service, network);
    for (const range of ranges) this.#add("source-ranges", [this.#id, range]);
    // Before external IPs: where both name one address, the stricter rule holds.
    for (const address of loadBalancerIPs(this.#service, network)) {
      this.#addFrontend(
        address,
        ranges.length === 0 ? external : external === undefined ? "fw-cluster" : "fw-ext-local",
      );
    }
    for (const address of ofFamily(spec.externalIPs ?? [], network)) this.#addFrontend(address, external);
    if (nodePort === undefined || nodePort === 0) return;
    const key = [this.#protocol, nodePort];
    this.#claim(`nodeport ${keyText(key)}`, [
      this.#element("nodeports", key, { values: [this.#id] }),
      ...(external === undefined ? [] : [this.#element("nodeport-policies", key, goTo(external))]),
    ]);
  }

  #addFrontend(address: IpAddress, policy: string | undefined): void {
    const key = [address, this.#protocol, this.#port.port];
    this.#claim(`frontend ${keyText(key)}`, [
      this.#element("frontends", key, { values: [this.#id] }),
      ...(policy === undefined ? [] : [this.#element("policies", key, goTo(policy))]),
    ]);
  }

  #isInternalLocal(): boolean {
    return this.#service.spec?.internalTrafficPolicy === "Local";
  }

  #isExternalLocal(): boolean {
    const { type, externalIPs, externalTrafficPolicy } = this.#service.spec ?? {};
    const isExternal = type === "NodePort" || type === "LoadBalancer" || (externalIPs ?? []).length > 0;
    return isExternal && externalTrafficPolicy === "Local";
  }

  /** Undefined without affinity. */
  #affinitySeconds(): number | undefined {
    const { sessionAffinity, sessionAffinityConfig } = this.#service.spec ?? {};
    return sessionAffinity === "ClientIP" ? (sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800) : undefined;
  }

  #add(set: string, key: readonly Value[], data?: ElementData, cause: Provenance = this.#cause): void {
    this.#draft.own.push(this.#element(set, key, data, cause));
  }

  #claim(what: string, part: Part): void {
    const claim = `${this.#options.network.family} ${what}`;
    if (!this.#draft.claims.has(claim)) this.#draft.claims.set(claim, part);
  }

  #element(set: string, key: readonly Value[], data?: ElementData, cause: Provenance = this.#cause): Element {
    const { family } = this.#options.network;
    return { family, table: tableName, set, key, ...(data === undefined ? {} : { data }), cause };
  }
}

function goTo(chain: string): ElementData {
  return { verdict: { kind: "goto", chain } };
}

/** The addresses of `network`'s family, canonical; what is no address is left out (the API refuses it, others may not). */
function ofFamily(texts: readonly string[], network: FamilyNetwork): readonly IpAddress[] {
  const addresses = texts.filter((text) => isIpAddress(text)).map((text) => parseIpAddress(text));
  return [...new Set(addresses)].filter((address) => familyOf(address) === network.family);
}

function loadBalancerIPs(service: Service, network: FamilyNetwork): readonly IpAddress[] {
  if (service.spec?.type !== "LoadBalancer") return [];
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  // ipMode Proxy: the load balancer wants to see all traffic itself.
  const vips = ingress.filter(({ ipMode }) => ipMode !== "Proxy").flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
  return ofFamily(vips, network);
}

/** Disjoint, as the kernel demands of intervals. */
function sourceRanges(service: Service, network: FamilyNetwork): readonly Cidr[] {
  const { type, loadBalancerSourceRanges = [] } = service.spec ?? {};
  if (type !== "LoadBalancer") return [];
  const cidrs = loadBalancerSourceRanges.flatMap((text) => {
    try {
      return [parseCidr(text.trim(), { masksHostBits: true })];
    } catch {
      return [];
    }
  });
  return mergeCidrs(cidrs.filter((cidr) => familyOf(cidr) === network.family));
}
