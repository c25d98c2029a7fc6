/** The Endpoints object of a Service: the older form that many clients (and `kubectl describe`) still read. */
import type { EndpointAddress, Endpoints, EndpointSubset, Pod, Service } from "../../api/generated/types.ts";
import { headlessLabel, triggerTimeAnnotation } from "./plan-slices.ts";
import {
  addressOf,
  addressTypes,
  hostnameOf,
  isEndpoint,
  isHeadless,
  podReference,
  resolvePorts,
} from "./service-pods.ts";
import type { ResolvedPort } from "./service-pods.ts";
import { isPodReady, isSame } from "../workload/index.ts";

export const endpointsManagedByLabel = "endpoints.kubernetes.io/managed-by";
export const endpointsController = "endpoint-controller";
const overCapacityAnnotation = "endpoints.kubernetes.io/over-capacity";
const maxAddresses = 1000;

export interface EndpointsInput {
  readonly service: Service;
  /** Those that the selector matches. */
  readonly pods: readonly Pod[];
  readonly existing: Endpoints | undefined;
  readonly triggerTime: string | undefined;
}

/** The object to write; undefined where the present one is right. Carries the present one's resource version. */
export function planEndpoints({ service, pods, existing, triggerTime }: EndpointsInput): Endpoints | undefined {
  const { subsets, isOverCapacity } = limited(subsetsOf(service, pods));
  const labels = endpointsLabels(service);
  const {
    [triggerTimeAnnotation]: _time,
    [overCapacityAnnotation]: _over,
    ...foreign
  } = existing?.metadata?.annotations ?? {};
  const isUpToDate =
    existing !== undefined &&
    isSame(sortedSubsets(existing.subsets ?? []), subsets) &&
    isSame(existing.metadata?.labels, labels) &&
    (existing.metadata?.annotations?.[overCapacityAnnotation] === "truncated") === isOverCapacity;
  if (isUpToDate) return undefined;
  const { name, namespace } = service.metadata ?? {};
  return {
    ...existing,
    metadata: {
      ...existing?.metadata,
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      labels,
      annotations: {
        ...foreign,
        ...(triggerTime === undefined ? {} : { [triggerTimeAnnotation]: triggerTime }),
        ...(isOverCapacity ? { [overCapacityAnnotation]: "truncated" } : {}),
      },
    },
    subsets,
  };
}

function endpointsLabels(service: Service): Readonly<Record<string, string>> {
  const { [headlessLabel]: _headless, ...labels } = service.metadata?.labels ?? {};
  return {
    ...labels,
    ...(isHeadless(service) ? { [headlessLabel]: "" } : {}),
    [endpointsManagedByLabel]: endpointsController,
  };
}

interface Member {
  readonly address: EndpointAddress;
  readonly isReady: boolean;
}

/** Addresses with the same ports form one subset; a pod that is being deleted is in none. */
function subsetsOf(service: Service, pods: readonly Pod[]): readonly EndpointSubset[] {
  const publishAll = service.spec?.publishNotReadyAddresses === true;
  const [family = "IPv4"] = addressTypes(service, pods);
  const perPort = new Map<string, { readonly ports: readonly ResolvedPort[]; readonly members: Member[] }>();
  for (const pod of pods) {
    const ip = addressOf(pod, family);
    const isLeaving = pod.metadata?.deletionTimestamp !== undefined;
    if (ip === undefined || !isEndpoint(pod) || (isLeaving && !publishAll)) continue;
    const ports = resolvePorts(service, pod);
    const mayBeBare = isHeadless(service) && (service.spec?.ports ?? []).length === 0;
    if (ports.length === 0 && !mayBeBare) continue;
    const key = ports.map(portText).toSorted().join(",");
    const group = perPort.get(key) ?? { ports, members: [] };
    perPort.set(key, group);
    const { nodeName } = pod.spec ?? {};
    group.members.push({
      isReady: publishAll || isPodReady(pod),
      address: {
        ip,
        ...hostnameOf(pod, service),
        ...(nodeName === undefined || nodeName === "" ? {} : { nodeName }),
        targetRef: podReference(pod),
      },
    });
  }
  return sortedSubsets([...perPort.values()].map(({ ports, members }) => subsetOf(ports, members)));
}

function subsetOf(ports: readonly ResolvedPort[], members: readonly Member[]): EndpointSubset {
  const ready = members.filter(({ isReady }) => isReady).map(({ address }) => address);
  const notReady = members.filter(({ isReady }) => !isReady).map(({ address }) => address);
  return {
    ...(ready.length === 0 ? {} : { addresses: ready }),
    ...(notReady.length === 0 ? {} : { notReadyAddresses: notReady }),
    ...(ports.length === 0
      ? {}
      : { ports: ports.map(({ name, ...port }) => (name === "" ? port : { name, ...port })) }),
  };
}

function portText({ name, port, protocol, appProtocol }: Partial<ResolvedPort>): string {
  return `${name ?? ""}|${port}|${protocol}|${appProtocol ?? ""}`;
}

function addressText({ ip, targetRef }: EndpointAddress): string {
  return `${ip} ${targetRef?.uid ?? ""}`;
}

function subsetText({ addresses = [], notReadyAddresses = [], ports = [] }: EndpointSubset): string {
  return [...ports.map(portText), ...[...addresses, ...notReadyAddresses].slice(0, 1).map(addressText)].join();
}

function by<T>(text: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => (text(a) < text(b) ? -1 : 1);
}

/** One order for all that means the same, so that nothing is written twice. */
function sortedSubsets(subsets: readonly EndpointSubset[]): readonly EndpointSubset[] {
  return subsets
    .map(({ addresses, notReadyAddresses, ports }) => ({
      ...(addresses === undefined ? {} : { addresses: addresses.toSorted(by(addressText)) }),
      ...(notReadyAddresses === undefined ? {} : { notReadyAddresses: notReadyAddresses.toSorted(by(addressText)) }),
      ...(ports === undefined ? {} : { ports: ports.toSorted(by(portText)) }),
    }))
    .toSorted(by(subsetText));
}

/** At most a thousand addresses, the ready ones first; watchers of more should read slices. */
function limited(subsets: readonly EndpointSubset[]): {
  readonly subsets: readonly EndpointSubset[];
  readonly isOverCapacity: boolean;
} {
  const count = subsets.reduce(
    (sum, { addresses = [], notReadyAddresses = [] }) => sum + addresses.length + notReadyAddresses.length,
    0,
  );
  if (count <= maxAddresses) return { subsets, isOverCapacity: false };
  let room = maxAddresses;
  const take = <T>(list: readonly T[] = []): readonly T[] => {
    const taken = list.slice(0, room);
    room -= taken.length;
    return taken;
  };
  const ready = subsets.map(({ addresses }) => take(addresses));
  const notReady = subsets.map(({ notReadyAddresses }) => take(notReadyAddresses));
  const cut = subsets.map(({ ports }, index) => ({
    ...((ready[index] ?? []).length === 0 ? {} : { addresses: ready[index] ?? [] }),
    ...((notReady[index] ?? []).length === 0 ? {} : { notReadyAddresses: notReady[index] ?? [] }),
    ...(ports === undefined ? {} : { ports }),
  }));
  return {
    subsets: cut.filter(
      ({ addresses, notReadyAddresses }) => addresses !== undefined || notReadyAddresses !== undefined,
    ),
    isOverCapacity: true,
  };
}
