/** Which pods stand behind a Service, and with which ports. */
import type { Endpoint, EndpointHints, Node, Pod, Service, ServicePort } from "../../api/generated/types.ts";
import { isPodReady, isPodTerminal } from "../workload/index.ts";

export type AddressType = "IPv4" | "IPv6";

/** A port as endpoints carry it: `name` is empty for a Service's only, nameless port. */
export interface ResolvedPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  readonly appProtocol?: string;
}

export function isHeadless({ spec }: Service): boolean {
  return spec?.clusterIP === "None";
}

/** Whether a controller makes this Service's endpoints from pods. */
export function selectsPods({ spec }: Service): boolean {
  return spec?.selector !== undefined && Object.keys(spec.selector).length > 0 && spec.type !== "ExternalName";
}

/** A Service's selector is a plain set of labels. */
export function selectorMatches(selector: Readonly<Record<string, string>>, pod: Pod): boolean {
  const labels = pod.metadata?.labels ?? {};
  return Object.entries(selector).every(([name, value]) => labels[name] === value);
}

/** Whether the pod is, or would be when ready, an endpoint of the Service. */
export function serves(service: Service, pod: Pod): boolean {
  const isNear = service.metadata?.namespace === pod.metadata?.namespace;
  return isNear && selectsPods(service) && selectorMatches(service.spec?.selector ?? {}, pod);
}

/** The address families of the Service, its main one first. A headless one without any takes them from the pods. */
export function addressTypes(service: Service, pods: readonly Pod[]): readonly AddressType[] {
  const families = service.spec?.ipFamilies ?? [];
  if (families.length > 0) return families.map((family) => (family === "IPv6" ? "IPv6" : "IPv4"));
  const found = new Set(pods.flatMap(podAddresses).map(typeOf));
  return found.size === 0 ? ["IPv4"] : (["IPv4", "IPv6"] as const).filter((type) => found.has(type));
}

function podAddresses({ status }: Pod): readonly string[] {
  const listed = (status?.podIPs ?? []).map(({ ip }) => ip).filter((ip) => ip !== undefined && ip !== "");
  if (listed.length > 0) return listed;
  return status?.podIP === undefined || status.podIP === "" ? [] : [status.podIP];
}

function typeOf(address: string): AddressType {
  return address.includes(":") ? "IPv6" : "IPv4";
}

/** The pod's address of that family; none before its sandbox has one. */
export function addressOf(pod: Pod, type: AddressType): string | undefined {
  return podAddresses(pod).find((address) => typeOf(address) === type);
}

/** Resolves the ports for one pod: a named target port may differ from pod to pod, and where a pod lacks it, it drops out. */
export function resolvePorts(service: Service, pod: Pod): readonly ResolvedPort[] {
  const resolved: ResolvedPort[] = [];
  for (const servicePort of service.spec?.ports ?? []) {
    const { name = "", protocol = "TCP", appProtocol } = servicePort;
    const port = targetPort(servicePort, pod);
    if (port !== undefined)
      resolved.push({ name, port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) });
  }
  return resolved;
}

function targetPort({ port, targetPort: target, protocol = "TCP" }: ServicePort, pod: Pod): number | undefined {
  if (target === undefined || target === 0 || target === "") return port;
  if (typeof target === "number") return target;
  const sidecars = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  for (const { ports } of [...(pod.spec?.containers ?? []), ...sidecars]) {
    const found = ports?.find((candidate) => candidate.name === target && (candidate.protocol ?? "TCP") === protocol);
    if (found !== undefined) return found.containerPort;
  }
  return undefined;
}

/** Pods that have ended or have no address are no endpoints; those that are being deleted are, as terminating ones. */
export function isEndpoint(pod: Pod): boolean {
  return !isPodTerminal(pod) && podAddresses(pod).length > 0;
}

/** One endpoint of a slice. A pod stops being ready at the moment its deletion is asked for. */
export function endpointOf(
  pod: Pod,
  { service, node, type }: { readonly service: Service; readonly node: Node | undefined; readonly type: AddressType },
): Endpoint {
  const serving = isPodReady(pod);
  const terminating = pod.metadata?.deletionTimestamp !== undefined;
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const zone = node?.metadata?.labels?.["topology.kubernetes.io/zone"];
  const { nodeName } = pod.spec ?? {};
  const hints = ready ? hintsOf(service, { nodeName, zone }) : undefined;
  return {
    addresses: [addressOf(pod, type) ?? ""],
    conditions: { ready, serving, terminating },
    ...hostnameOf(pod, service),
    ...(nodeName === undefined || nodeName === "" ? {} : { nodeName }),
    targetRef: podReference(pod),
    ...(hints === undefined ? {} : { hints }),
    ...(zone === undefined || zone === "" ? {} : { zone }),
  };
}

/** Whom the endpoint is for, by the Service's trafficDistribution; undefined: anybody. Unready endpoints have none. */
function hintsOf(
  { spec }: Service,
  { nodeName = "", zone = "" }: { readonly nodeName: string | undefined; readonly zone: string | undefined },
): EndpointHints | undefined {
  const forZones = zone === "" ? {} : { forZones: [{ name: zone }] };
  const wish = spec?.trafficDistribution;
  if (wish === "PreferClose" || wish === "PreferSameZone") return zone === "" ? undefined : forZones;
  // The zone too: a proxy without an endpoint on its node, or without knowledge of nodes, turns to it.
  if (wish === "PreferSameNode" && nodeName !== "") return { forNodes: [{ name: nodeName }], ...forZones };
  return undefined;
}

/** A pod gets a DNS name of its own where its subdomain is the Service's name. */
export function hostnameOf(pod: Pod, service: Service): { readonly hostname?: string } {
  const { hostname, subdomain } = pod.spec ?? {};
  const isNamed = hostname !== undefined && hostname !== "" && subdomain === service.metadata?.name;
  return isNamed ? { hostname } : {};
}

export function podReference({ metadata }: Pod) {
  const { name, namespace, uid } = metadata ?? {};
  return {
    kind: "Pod",
    ...(name === undefined ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
  };
}
