/** The index behind the answers: each object it is told touches its own entries only. */
import { keyOf, keyText, type KubernetesObject } from "../../api/object.ts";
import { matchesLabels, type Selector } from "../../lib/labels/index.ts";
import type { EndpointSlice, Namespace, Pod, Service } from "../../api/generated/types.ts";
import { isIpAddress, parseIpAddress } from "../../lib/ip/index.ts";
import type { Provenance } from "../provenance.ts";
import { serviceEntry, sliceEntry } from "./entries.ts";
import type { EndpointEntry, ServiceEntry, SliceEntry } from "./entries.ts";

/** How `1-2-3-4.<namespace>.pod` is answered: never; for any address; for addresses of pods in that namespace. */
type PodsMode = "disabled" | "insecure" | "verified";

export interface DnsZoneOptions {
  /** Canonical, with the final dot: "cluster.local." */
  readonly domain: string;
  /** Canonical reverse zones that are ours: "in-addr.arpa.", or a part such as "96.10.in-addr.arpa." */
  readonly reverseZones: readonly string[];
  readonly ttlSeconds: number;
  readonly pods: PodsMode;
  /** Endpoints without a hostname are named after their pods rather than their addresses. */
  readonly usesPodNames?: boolean;
  /** Endpoints are not served: headless services have no names then. */
  readonly ignoresEndpoints?: boolean;
  /** Only these namespaces exist; empty or absent: all. */
  readonly namespaces?: readonly string[];
  /** Only objects with such labels exist. */
  readonly selector?: Selector;
  /** This server's own addresses: the Service that has them among its endpoints is the zone's name server. */
  readonly localAddresses: readonly string[];
}

/** A question in canonical form. */
export interface NameAndType {
  readonly name: string;
  readonly type: number;
}

export class DnsZone {
  readonly options: DnsZoneOptions;
  /** Counts the changes: an answer stands as long as it stays. */
  version = 0;
  /** The serial in the SOA record; upstream's is the time of the last change in seconds, set by whoever has a clock. */
  serial = 0;
  readonly #namespaces = new Set<string>();
  readonly #services = new Map<string, ServiceEntry>();
  readonly #servicesByAddress = new Map<string, Set<string>>();
  readonly #slices = new Map<string, SliceEntry>();
  readonly #slicesByService = new Map<string, Set<string>>();
  readonly #slicesByAddress = new Map<string, Set<string>>();
  readonly #pods = new Map<string, readonly string[]>();
  readonly #podsByAddress = new Map<string, Set<string>>();

  constructor(options: DnsZoneOptions) {
    this.options = options;
  }

  setNamespace(namespace: Namespace): void {
    if (this.#serves(keyOf(namespace).name)) this.#changed(() => this.#namespaces.add(keyOf(namespace).name));
  }

  deleteNamespace(name: string): void {
    this.#changed(() => this.#namespaces.delete(name));
  }

  setService(service: Service): void {
    this.#changed(() =>
      this.#replaceService(keyText(keyOf(service)), this.#isSelected(service) ? serviceEntry(service) : undefined),
    );
  }

  /** @param key - `namespace/name`, as of all objects below. */
  deleteService(key: string): void {
    this.#changed(() => this.#replaceService(key, undefined));
  }

  setSlice(slice: EndpointSlice): void {
    const isServed = this.options.ignoresEndpoints !== true && this.#isSelected(slice);
    const entry = isServed ? sliceEntry(slice, this.options) : undefined;
    this.#changed(() => this.#replaceSlice(keyText(keyOf(slice)), entry));
  }

  deleteSlice(key: string): void {
    this.#changed(() => this.#replaceSlice(key, undefined));
  }

  /** Only of use in the mode `verified`. */
  setPod(pod: Pod): void {
    const { podIPs = [], phase } = pod.status ?? {};
    const isOver = phase === "Succeeded" || phase === "Failed";
    const addresses =
      isOver || !this.#isSelected(pod)
        ? []
        : podIPs
            .map(({ ip }) => ip)
            .filter(isIpAddress)
            .map(parseIpAddress);
    this.#changed(() => this.#replacePod(keyText(keyOf(pod)), addresses));
  }

  #serves(namespace: string): boolean {
    const { namespaces = [] } = this.options;
    return namespaces.length === 0 || namespaces.includes(namespace);
  }

  #isSelected({ metadata }: KubernetesObject): boolean {
    const { selector } = this.options;
    return (
      this.#serves(metadata?.namespace ?? "") && (selector === undefined || matchesLabels(selector, metadata?.labels))
    );
  }

  deletePod(key: string): void {
    this.#changed(() => this.#replacePod(key, []));
  }

  hasNamespace(name: string): boolean {
    return this.#namespaces.has(name);
  }

  service(namespace: string, name: string): ServiceEntry | undefined {
    return this.#services.get(`${namespace}/${name}`);
  }

  /** The slices of a service, in the order of their names so that answers do not depend on that of events. */
  slicesOf(namespace: string, service: string): readonly SliceEntry[] {
    return this.#slicesIn(this.#slicesByService.get(`${namespace}/${service}`));
  }

  /** The Service whose cluster address this is. */
  serviceAt(address: string): ServiceEntry | undefined {
    const [key] = this.#servicesByAddress.get(address) ?? [];
    return key === undefined ? undefined : this.#services.get(key);
  }

  /** The endpoints with this address, each with its slice. */
  endpointsAt(address: string): readonly { readonly slice: SliceEntry; readonly endpoint: EndpointEntry }[] {
    return this.#slicesIn(this.#slicesByAddress.get(address)).flatMap((slice) =>
      slice.endpoints.filter((endpoint) => endpoint.address === address).map((endpoint) => ({ slice, endpoint })),
    );
  }

  /** The pod of the namespace with this address. */
  podAt(namespace: string, address: string): Provenance | undefined {
    const keys = [...(this.#podsByAddress.get(address) ?? [])];
    const key = keys.find((candidate) => candidate.startsWith(`${namespace}/`));
    return key === undefined ? undefined : { kind: "Pod", namespace, name: key.slice(namespace.length + 1) };
  }

  #changed(change: () => unknown): void {
    change();
    this.version += 1;
  }

  #slicesIn(keys: ReadonlySet<string> | undefined): readonly SliceEntry[] {
    return [...(keys ?? [])].toSorted().flatMap((key) => this.#slices.get(key) ?? []);
  }

  #replaceService(key: string, entry: ServiceEntry | undefined): void {
    const before = this.#services.get(key);
    if (before?.type === "cluster-ip")
      for (const address of before.addresses) removeFrom(this.#servicesByAddress, address, key);
    if (entry === undefined) this.#services.delete(key);
    else this.#services.set(key, entry);
    if (entry?.type === "cluster-ip")
      for (const address of entry.addresses) addTo(this.#servicesByAddress, address, key);
  }

  #replaceSlice(key: string, entry: SliceEntry | undefined): void {
    const before = this.#slices.get(key);
    if (before !== undefined) {
      removeFrom(this.#slicesByService, `${before.namespace}/${before.service}`, key);
      for (const { address } of before.endpoints) removeFrom(this.#slicesByAddress, address, key);
    }
    this.#slices.delete(key);
    if (entry === undefined) return;
    this.#slices.set(key, entry);
    addTo(this.#slicesByService, `${entry.namespace}/${entry.service}`, key);
    for (const { address } of entry.endpoints) addTo(this.#slicesByAddress, address, key);
  }

  #replacePod(key: string, addresses: readonly string[]): void {
    for (const address of this.#pods.get(key) ?? []) removeFrom(this.#podsByAddress, address, key);
    if (addresses.length === 0) this.#pods.delete(key);
    else this.#pods.set(key, addresses);
    for (const address of addresses) addTo(this.#podsByAddress, address, key);
  }
}

function addTo(index: Map<string, Set<string>>, value: string, key: string): void {
  const keys = index.get(value);
  if (keys === undefined) index.set(value, new Set([key]));
  else keys.add(key);
}

function removeFrom(index: Map<string, Set<string>>, value: string, key: string): void {
  const keys = index.get(value);
  keys?.delete(key);
  if (keys?.size === 0) index.delete(value);
}
