/** Whom `/proxy` of a node, a pod or a service means. */
import type { EndpointSlice, Node, Pod, Service } from "../../../api/generated/types.ts";
import { badRequest, notFound, serviceUnavailable } from "../../../api/status.ts";
import type { ObjectStore } from "../../../storage/index.ts";
import type { RequestInfo } from "../request-info.ts";

export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
}

/** "https:web:8443": scheme and port may be left out. */
function proxyNameOf(text: string): { readonly isTls: boolean; readonly name: string; readonly port: string } {
  const parts = text.split(":");
  const [first = "", second = "", third = ""] = parts;
  if (parts.length === 1) return { isTls: false, name: first, port: "" };
  if (parts.length === 2) return { isTls: false, name: first, port: second };
  if (parts.length === 3 && ["http", "https", ""].includes(first)) {
    return { isTls: first === "https", name: second, port: third };
  }
  throw badRequest(`invalid service request "${text}"`);
}

const kubeletPort = "10250";

export type NodeTarget =
  | { readonly kind: "kubelet"; readonly node: string }
  | (ProxyTarget & { readonly kind: "port" });

/** Without a port and with the kubelet's its API, with any other what listens there. Throws `ApiError` 400 or 404. */
export function nodeTarget(store: ObjectStore, { name }: RequestInfo): NodeTarget {
  const wanted = proxyNameOf(name);
  const node: Node | undefined = store.get({ resource: "nodes", namespace: "", name: wanted.name })?.object;
  if (node === undefined) throw notFound({ group: "", name: "nodes" }, wanted.name);
  if (wanted.port === "" || wanted.port === kubeletPort) return { kind: "kubelet", node: wanted.name };
  const host = node.status?.addresses?.find(({ type }) => type === "InternalIP")?.address;
  if (host === undefined) throw badRequest(`no preferred addresses found; known addresses: []`);
  return { kind: "port", host, port: portNumber(wanted.port), isTls: wanted.isTls };
}

/** Throws `ApiError` 400, 404 or 503. */
export function podTarget(store: ObjectStore, { namespace, name }: RequestInfo): ProxyTarget {
  const wanted = proxyNameOf(name);
  const pod: Pod | undefined = store.get({ resource: "pods", namespace, name: wanted.name })?.object;
  if (pod === undefined) throw notFound({ group: "", name: "pods" }, wanted.name);
  const host = pod.status?.podIP ?? "";
  if (host === "") throw badRequest("address not allowed: the pod has no address yet");
  const [declared] = (pod.spec?.containers ?? []).flatMap(({ ports = [] }) => ports);
  const port = wanted.port === "" ? (declared?.containerPort ?? 80) : portNumber(wanted.port);
  return { host, port, isTls: wanted.isTls };
}

export function serviceTarget(store: ObjectStore, { namespace, name }: RequestInfo): ProxyTarget {
  const wanted = proxyNameOf(name);
  const service: Service | undefined = store.get({ resource: "services", namespace, name: wanted.name })?.object;
  if (service === undefined) throw notFound({ group: "", name: "services" }, wanted.name);
  const ports = service.spec?.ports ?? [];
  const port = wanted.port === "" && ports.length === 1 ? ports[0] : ports.find((one) => isPort(one, wanted.port));
  if (port === undefined)
    throw serviceUnavailable(`no service port "${wanted.port}" found for service "${wanted.name}"`);
  const slices = store
    .list("endpointslices.discovery.k8s.io", { namespace })
    .items.map(({ object }) => object as unknown as EndpointSlice)
    .filter(({ metadata }) => metadata?.labels?.["kubernetes.io/service-name"] === wanted.name)
    .toSorted((one, other) => rank(one, service) - rank(other, service));
  for (const slice of slices) {
    const number = slice.ports?.find((one) => (one.name ?? "") === (port.name ?? ""))?.port;
    const ready = (slice.endpoints ?? []).find(({ conditions }) => conditions?.ready !== false);
    const [host] = ready?.addresses ?? [];
    if (number !== undefined && host !== undefined) return { host, port: number, isTls: wanted.isTls };
  }
  throw serviceUnavailable(`no endpoints available for service "${wanted.name}"`);
}

/** The slices of the Service's primary family come first. */
const rank = ({ addressType }: EndpointSlice, { spec }: Service): number =>
  addressType === spec?.ipFamilies?.[0] ? 0 : 1;

function isPort(port: { readonly name?: string; readonly port: number }, wanted: string): boolean {
  return port.name === wanted || String(port.port) === wanted;
}

function portNumber(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw badRequest(`invalid port "${text}"`);
  return port;
}
