/**
 * From services and their endpoint slices to the rule set of one node, a change at a time: what did not change is not
 * looked at again.
 */
import type { EndpointSlice, Service } from "../../api/generated/types.ts";
import type { Provenance } from "../provenance.ts";
import {
  diffParts,
  diffSkeletons,
  keyText,
  type Element,
  type Family,
  type Part,
  type PartChange,
  type RuleSet,
  type Skeleton,
  type Transaction,
} from "../rules/index.ts";
import { healthCheckOf, isProxied, type HealthCheck } from "./endpoints.ts";
import { createIds, freeId, takeId, type Ids } from "./ids.ts";
import { localBit, planSkeleton, preparedCounts, tableName, type ChainsInUse } from "./layout.ts";
import { familyNetworks, familyOf, type FamilyNetwork, type NodeNetwork } from "./node-network.ts";
import { serviceElements, servicePortName, type Backend, type ServiceElements } from "./service-elements.ts";
import type { Cidr, IpAddress } from "../../lib/ip/index.ts";

/** A service and all slices that carry its name; `service` is undefined where it is gone. */
export interface ServiceObjects {
  /** `namespace/name`. */
  readonly key: string;
  readonly service: Service | undefined;
  readonly slices: readonly EndpointSlice[];
}

/** A port of the node that leads to a pod on it. */
export interface HostPort {
  /** Undefined: on all addresses of the node. */
  readonly hostAddress: IpAddress | undefined;
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly hostPort: number;
  readonly podAddress: IpAddress;
  readonly containerPort: number;
  readonly cause: Provenance;
}

/** Numbers given so far, by service port (`default/web port http`). Pass them on and marks keep their meaning. */
export type KnownIds = Iterable<readonly [name: string, id: number]>;

/** The rule set and what is needed to change it. Belongs to whoever called `createServicePlan`; `updateServicePlan` alters it. */
export interface ServicePlan {
  readonly node: NodeNetwork;
  networks: readonly FamilyNetwork[];
  readonly services: Map<string, PlannedService>;
  readonly portIds: Ids;
  readonly endpointIds: Ids;
  readonly parts: Map<string, Part>;
  readonly claims: Map<string, Map<string, Part>>;
  readonly users: ReadonlyMap<Family, Record<keyof ChainsInUse, Map<number, number>>>;
  skeletons: readonly Skeleton[];
  /** Of the node; undefined: none. */
  zone: string | undefined;
}

interface PlannedService {
  readonly byFamily: ReadonlyMap<Family, ServiceElements>;
  readonly portNames: ReadonlySet<string>;
  readonly endpointNames: ReadonlySet<string>;
  readonly healthCheck: HealthCheck | undefined;
}

const nothing: PlannedService = {
  byFamily: new Map(),
  portNames: new Set(),
  endpointNames: new Set(),
  healthCheck: undefined,
};
const noElements: ServiceElements = {
  own: [],
  claims: new Map(),
  counts: [],
  affinityCounts: [],
  affinitySeconds: [],
  backends: [],
};

/** A plan without services: the chains, and the rules of the node itself. */
export function createServicePlan(node: NodeNetwork, options: { readonly knownIds?: KnownIds } = {}): ServicePlan {
  const networks = familyNetworks(node);
  const users = new Map(
    networks.map(({ family }) => [
      family,
      { counts: new Map(), affinityCounts: new Map(), affinitySeconds: new Map() } as const,
    ]),
  );
  const plan: ServicePlan = {
    node,
    networks,
    services: new Map(),
    portIds: createIds(localBit - 1, options.knownIds),
    endpointIds: createIds(0x7fff_ffff),
    parts: new Map(),
    claims: new Map(),
    users,
    skeletons: [],
    zone: undefined,
  };
  plan.skeletons = planSkeletons(plan);
  return plan;
}

/** The whole rule set as it is now. Shares the plan's maps: read it before the next update. */
export function ruleSetOf(plan: ServicePlan): RuleSet {
  return { skeletons: plan.skeletons, parts: plan.parts };
}

export interface ServiceChanges {
  readonly services?: readonly ServiceObjects[];
  /** The node's zone from now on; services with hints for zones must be among `services` then. Absent: as it was. */
  readonly zone?: { readonly name: string | undefined };
  /** All ranges of which Services have addresses, in any order and overlapping; absent: as they were. */
  readonly serviceCidrs?: readonly Cidr[];
  /** All host ports of the node; absent: as they were. */
  readonly hostPorts?: readonly HostPort[];
}

export interface ServiceUpdate {
  /** What changes in the kernel. */
  readonly transaction: Transaction;
  /** Backends that were in use and are no more: flows without an end of their own (UDP) must be cut. */
  readonly departed: readonly Backend[];
  /** Of the services that have or had one among those that changed, by `namespace/name`; undefined where it ended. */
  readonly healthChecks: ReadonlyMap<string, HealthCheck | undefined>;
}

/** Replans what changed. Costs as much as the changed services are large. */
export function updateServicePlan(plan: ServicePlan, changes: ServiceChanges): ServiceUpdate {
  if (changes.zone !== undefined) plan.zone = changes.zone.name;
  const collector = new ChangeCollector(plan);
  if (changes.serviceCidrs !== undefined) {
    plan.networks = familyNetworks({ ...plan.node, serviceCidrs: changes.serviceCidrs });
    collector.renewChains();
  }
  const departed: Backend[] = [];
  const healthChecks = new Map<string, HealthCheck | undefined>();
  const services = changes.services ?? [];
  // By name, so that ids do not depend on the order of events.
  for (const objects of services.toSorted((one, other) => (one.key < other.key ? -1 : 1))) {
    const planned = planService(plan, objects);
    const before = plan.services.get(objects.key) ?? nothing;
    for (const { family } of plan.networks) {
      const elements = {
        before: before.byFamily.get(family) ?? noElements,
        after: planned.byFamily.get(family) ?? noElements,
      };
      collector.replace(family, objects.key, elements);
      departed.push(...departedBackends(elements.before.backends, elements.after.backends));
    }
    if ((planned.healthCheck ?? before.healthCheck) !== undefined) healthChecks.set(objects.key, planned.healthCheck);
    forget(plan.portIds, before.portNames, planned.portNames);
    forget(plan.endpointIds, before.endpointNames, planned.endpointNames);
    if (planned === nothing) plan.services.delete(objects.key);
    else plan.services.set(objects.key, planned);
  }
  if (changes.hostPorts !== undefined) replaceHostPorts(plan, collector, changes.hostPorts);
  return { transaction: collector.finish(), departed, healthChecks };
}

function departedBackends(before: readonly Backend[], after: readonly Backend[]): readonly Backend[] {
  const kept = new Set(after.map(backendText));
  return before.filter((backend) => !kept.has(backendText(backend)));
}

function backendText({ mark, protocol, address, port }: Backend): string {
  return `${mark} ${protocol} ${address} ${port}`;
}

function planService(plan: ServicePlan, { service, slices }: ServiceObjects): PlannedService {
  if (service === undefined || !isProxied(service)) return nothing;
  const portNames = new Set((service.spec?.ports ?? []).map((port) => servicePortName(service, port)));
  const endpointNames = new Set<string>();
  const byFamily = plan.networks.map((network) => {
    const elements = serviceElements(service, {
      network,
      nodeName: plan.node.name,
      zone: plan.zone,
      slices,
      portId: (name) => takeId(plan.portIds, name),
      endpointId: (name) => {
        endpointNames.add(name);
        return takeId(plan.endpointIds, name);
      },
    });
    return [network.family, elements] as const;
  });
  return {
    byFamily: new Map(byFamily),
    portNames,
    endpointNames,
    healthCheck: healthCheckOf(service, slices, plan.node.name),
  };
}

function forget(ids: Ids, before: ReadonlySet<string>, after: ReadonlySet<string>): void {
  for (const name of before) if (!after.has(name)) freeId(ids, name);
}

/** Frees the numbers that earlier processes gave to what is gone by now; once every service was planned. */
export function freeUnusedIds(plan: ServicePlan): void {
  const used = new Set([...plan.services.values()].flatMap(({ portNames }) => [...portNames]));
  for (const name of plan.portIds.numbers.keys()) if (!used.has(name)) freeId(plan.portIds, name);
}

const hostPortsKey = "(host ports)";

function replaceHostPorts(plan: ServicePlan, collector: ChangeCollector, hostPorts: readonly HostPort[]): void {
  const before = plan.services.get(hostPortsKey) ?? nothing;
  const byFamily = plan.networks.map(({ family }) => {
    const claims = new Map<string, Part>();
    for (const port of hostPorts.filter(({ podAddress }) => familyOf(podAddress) === family)) {
      const element = hostPortElement(family, port);
      const claim = `${family} ${element.set} ${keyText(element.key)}`;
      if (!claims.has(claim)) claims.set(claim, [element]);
    }
    return [family, { ...noElements, claims }] as const;
  });
  const planned: PlannedService = { ...nothing, byFamily: new Map(byFamily) };
  for (const [family, after] of byFamily) {
    collector.replace(family, hostPortsKey, { before: before.byFamily.get(family) ?? noElements, after });
  }
  plan.services.set(hostPortsKey, planned);
}

function hostPortElement(family: Family, port: HostPort): Element {
  const { hostAddress, protocol, hostPort, podAddress, containerPort, cause } = port;
  const data = { values: [podAddress, containerPort] };
  const place = { family, table: tableName, data, cause };
  if (hostAddress === undefined) return { ...place, set: "hostports-any", key: [protocol, hostPort] };
  return { ...place, set: "hostports", key: [hostAddress, protocol, hostPort] };
}

/** Notes which parts one update touches; a part that several claim goes to the first of them by name. */
class ChangeCollector {
  readonly #plan: ServicePlan;
  /** As they were before the update. */
  readonly #before = new Map<string, Part>();
  #mayNeedChains = false;

  constructor(plan: ServicePlan) {
    this.#plan = plan;
  }

  replace(
    family: Family,
    key: string,
    elements: { readonly before: ServiceElements; readonly after: ServiceElements },
  ): void {
    const { before, after } = elements;
    this.#setPart(`${family} ${key}`, after.own);
    for (const [claim] of before.claims) if (!after.claims.has(claim)) this.#claim(claim, key, undefined);
    for (const [claim, part] of after.claims) this.#claim(claim, key, part);
    const users = this.#plan.users.get(family);
    if (users === undefined) return;
    for (const kind of ["counts", "affinityCounts", "affinitySeconds"] as const) {
      for (const number of after[kind]) this.#use(kind, users[kind], number, 1);
      for (const number of before[kind]) this.#use(kind, users[kind], number, -1);
    }
  }

  #setPart(name: string, part: Part): void {
    const known = this.#plan.parts.get(name) ?? [];
    if (known === part) return;
    if (!this.#before.has(name)) this.#before.set(name, known);
    if (part.length === 0) this.#plan.parts.delete(name);
    else this.#plan.parts.set(name, part);
  }

  #claim(claim: string, owner: string, part: Part | undefined): void {
    const claimants = this.#plan.claims.get(claim) ?? new Map<string, Part>();
    if (part === undefined) claimants.delete(owner);
    else claimants.set(owner, part);
    if (claimants.size === 0) this.#plan.claims.delete(claim);
    else this.#plan.claims.set(claim, claimants);
    let first: string | undefined;
    for (const claimant of claimants.keys()) if (first === undefined || claimant < first) first = claimant;
    this.#setPart(claim, first === undefined ? [] : (claimants.get(first) ?? []));
  }

  #use(kind: keyof ChainsInUse, users: Map<number, number>, number: number, difference: 1 | -1): void {
    const before = users.get(number) ?? 0;
    const after = before + difference;
    if (after === 0) users.delete(number);
    else users.set(number, after);
    const isPrepared = kind === "counts" && number <= preparedCounts;
    if (!isPrepared && (before === 0 || after === 0)) this.#mayNeedChains = true;
  }

  /** The node's networks changed, which stand in the chains. */
  renewChains(): void {
    this.#mayNeedChains = true;
  }

  finish(): Transaction {
    const { parts } = this.#plan;
    const changes: PartChange[] = [...this.#before].map(([name, before]) => ({ before, after: parts.get(name) ?? [] }));
    const skeletons = this.#plan.skeletons;
    if (this.#mayNeedChains) this.#plan.skeletons = planSkeletons(this.#plan);
    return { ...diffSkeletons(skeletons, this.#plan.skeletons), ...diffParts(changes) };
  }
}

function planSkeletons(plan: ServicePlan): readonly Skeleton[] {
  return plan.networks.map((network) => {
    const users = plan.users.get(network.family);
    return planSkeleton(network, {
      counts: new Set(users?.counts.keys()),
      affinityCounts: new Set(users?.affinityCounts.keys()),
      affinitySeconds: new Set(users?.affinitySeconds.keys()),
    });
  });
}
