/** The EndpointSlices of a Service, and the fewest writes that lead there. */
import type { Endpoint, EndpointSlice, Node, Pod, Service } from "../../api/generated/types.ts";
import { resources } from "../../api/resources.ts";
import { controllerReference, isSame } from "../workload/index.ts";
import { addressOf, addressTypes, endpointOf, isEndpoint, isHeadless, resolvePorts } from "./service-pods.ts";
import type { AddressType, ResolvedPort } from "./service-pods.ts";

export const serviceNameLabel = "kubernetes.io/service-name";
export const managedByLabel = "endpointslice.kubernetes.io/managed-by";
export const headlessLabel = "service.kubernetes.io/headless";
export const triggerTimeAnnotation = "endpoints.kubernetes.io/last-change-trigger-time";
export const sliceController = "endpointslice-controller.k8s.io";

export interface SlicesInput {
  readonly service: Service;
  /** Those that the selector matches. */
  readonly pods: readonly Pod[];
  readonly nodeOf: (name: string) => Node | undefined;
  /** Those this controller manages for the Service. */
  readonly existing: readonly EndpointSlice[];
  /** When what is written now began, RFC 3339; undefined: unknown. */
  readonly triggerTime: string | undefined;
  /** 100 where absent. */
  readonly maxEndpoints?: number;
}

export interface SliceWrites {
  /** With `generateName`: the server completes the names. */
  readonly create: readonly EndpointSlice[];
  readonly update: readonly EndpointSlice[];
  readonly remove: readonly EndpointSlice[];
}

/** Endpoints with one set of ports: they may share slices. */
export interface EndpointGroup {
  readonly addressType: string;
  readonly ports: readonly ResolvedPort[];
  readonly endpoints: readonly Endpoint[];
}

export function planSlices(input: SlicesInput): SliceWrites {
  const { service, pods, triggerTime } = input;
  const types = addressTypes(service, pods);
  const groups = types.flatMap((type) => groupsOf(input, type));
  return planSliceWrites({
    groups,
    // A Service without endpoints has one empty slice, so that its watchers see that someone looked.
    keepOneOf: types,
    existing: input.existing,
    maxEndpoints: input.maxEndpoints ?? 100,
    metadata: {
      generateName: `${service.metadata?.name}-`,
      ...(service.metadata?.namespace === undefined ? {} : { namespace: service.metadata.namespace }),
      labels: sliceLabels(service),
      ...(triggerTime === undefined ? {} : { annotations: { [triggerTimeAnnotation]: triggerTime } }),
      ownerReferences: [controllerReference(resources.services, service)],
    },
  });
}

/** The Service's own labels, and those by which slices are found. */
function sliceLabels(service: Service): Readonly<Record<string, string>> {
  const { [headlessLabel]: _headless, ...labels } = service.metadata?.labels ?? {};
  return {
    ...labels,
    ...(isHeadless(service) ? { [headlessLabel]: "" } : {}),
    [serviceNameLabel]: service.metadata?.name ?? "",
    [managedByLabel]: sliceController,
  };
}

function groupsOf({ service, pods, nodeOf }: SlicesInput, type: AddressType): readonly EndpointGroup[] {
  const groups = new Map<string, { ports: readonly ResolvedPort[]; endpoints: Endpoint[] }>();
  for (const pod of pods) {
    if (!isEndpoint(pod) || addressOf(pod, type) === undefined) continue;
    const ports = resolvePorts(service, pod);
    // Only a headless Service may do without ports.
    if (ports.length === 0 && !(isHeadless(service) && (service.spec?.ports ?? []).length === 0)) continue;
    const key = portsKey(ports);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    groups.set(key, group);
    group.endpoints.push(endpointOf(pod, { service, node: nodeOf(pod.spec?.nodeName ?? ""), type }));
  }
  return [...groups.values()].map((group) => ({ addressType: type, ...group }));
}

function portsKey(
  ports: readonly {
    readonly name?: string;
    readonly port?: number;
    readonly protocol?: string;
    readonly appProtocol?: string;
  }[],
): string {
  return ports
    .map(({ name = "", port, protocol, appProtocol = "" }) => `${name}|${port}|${protocol}|${appProtocol}`)
    .toSorted()
    .join(",");
}

export interface SliceWritesInput {
  readonly groups: readonly EndpointGroup[];
  readonly keepOneOf: readonly string[];
  readonly existing: readonly EndpointSlice[];
  readonly maxEndpoints: number;
  /** Of each slice made or changed; its annotations only change with its content. */
  readonly metadata: NonNullable<EndpointSlice["metadata"]>;
}

/**
 * Keeps endpoints in the slice they are in, fills changed slices first, makes new ones last: each watcher of a big
 * Service gets as little as possible.
 */
export function planSliceWrites(input: SliceWritesInput): SliceWrites {
  const { groups, keepOneOf, existing, metadata } = input;
  const create: EndpointSlice[] = [];
  const update: EndpointSlice[] = [];
  const remaining = new Set(existing.filter(({ metadata: its }) => its?.deletionTimestamp === undefined));
  for (const group of groups) {
    const own = [...remaining].filter(
      (slice) => slice.addressType === group.addressType && portsKey(slice.ports ?? []) === portsKey(group.ports),
    );
    for (const slice of own) remaining.delete(slice);
    const writes = planGroup(group, { own, input });
    create.push(...writes.create);
    update.push(...writes.update);
    for (const slice of writes.remove) remaining.add(slice);
  }
  for (const addressType of keepOneOf) {
    if (groups.some((group) => group.addressType === addressType)) continue;
    const empty = [...remaining].find((slice) => slice.addressType === addressType);
    const bare = { addressType, endpoints: [], ports: [] };
    if (empty === undefined) {
      create.push({ metadata, ...bare });
      continue;
    }
    remaining.delete(empty);
    const emptied = changed(empty, { ...bare, metadata });
    if (emptied !== undefined) update.push(emptied);
  }
  return { create, update, remove: [...remaining] };
}

function planGroup(
  { addressType, ports, endpoints }: EndpointGroup,
  { own, input }: { readonly own: readonly EndpointSlice[]; readonly input: SliceWritesInput },
): SliceWrites {
  const { maxEndpoints, metadata } = input;
  const wanted = new Map(endpoints.map((endpoint) => [endpointKey(endpoint), endpoint]));
  const slices = own.map((slice) => {
    const kept: Endpoint[] = [];
    for (const endpoint of slice.endpoints ?? []) {
      const key = endpointKey(endpoint);
      const next = wanted.get(key);
      if (next !== undefined && kept.length < maxEndpoints) {
        kept.push(next);
        wanted.delete(key);
      }
    }
    return { slice, kept, isChanged: changed(slice, { endpoints: kept, ports, metadata }) !== undefined };
  });
  const missing = [...wanted.values()];
  // Into slices that are written anyway; a slice left alone stays so where one new slice holds the rest.
  const changing = slices.filter(({ isChanged, kept }) => isChanged && kept.length > 0);
  for (const target of changing) target.kept.push(...missing.splice(0, maxEndpoints - target.kept.length));
  if (missing.length > 0) {
    // Else into the fullest one that takes them all, as upstream does.
    const target = slices
      .filter(({ kept }) => kept.length + missing.length <= maxEndpoints)
      .toSorted((a, b) => b.kept.length - a.kept.length)[0];
    target?.kept.push(...missing.splice(0));
  }
  const create: EndpointSlice[] = [];
  while (missing.length > 0) {
    create.push({ metadata, addressType, endpoints: missing.splice(0, maxEndpoints), ports: ports.map(slicePort) });
  }
  const update: EndpointSlice[] = [];
  const remove: EndpointSlice[] = [];
  for (const { slice, kept } of slices) {
    if (kept.length === 0) remove.push(slice);
    else {
      const next = changed(slice, { endpoints: kept, ports, metadata });
      if (next !== undefined) update.push(next);
    }
  }
  return { create, update, remove };
}

function slicePort({ name, port, protocol, appProtocol }: ResolvedPort) {
  return { name, port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) };
}

/** The slice as it is to be; undefined where it is so already. */
function changed(
  slice: EndpointSlice,
  {
    endpoints,
    ports,
    metadata,
  }: {
    readonly endpoints: readonly Endpoint[];
    readonly ports: readonly ResolvedPort[];
    readonly metadata: NonNullable<EndpointSlice["metadata"]>;
  },
): EndpointSlice | undefined {
  const { labels, ownerReferences, annotations } = metadata;
  const { [triggerTimeAnnotation]: _time, ...foreign } = slice.metadata?.annotations ?? {};
  const isUpToDate =
    isSame(slice.endpoints, endpoints) &&
    portsKey(slice.ports ?? []) === portsKey(ports) &&
    isSame(slice.metadata?.labels, labels) &&
    isSame(slice.metadata?.ownerReferences, ownerReferences);
  if (isUpToDate) return undefined;
  return {
    ...slice,
    metadata: {
      ...slice.metadata,
      ...(labels === undefined ? {} : { labels }),
      ...(ownerReferences === undefined ? {} : { ownerReferences }),
      annotations: { ...foreign, ...annotations },
    },
    endpoints,
    ports: ports.map(slicePort),
  };
}

/** The same pod at the same address is the same endpoint, whatever its conditions. */
function endpointKey({ addresses, targetRef }: Endpoint): string {
  return `${addresses.join(",")} ${targetRef?.uid ?? targetRef?.name ?? ""}`;
}
