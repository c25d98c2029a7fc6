import { labelsText } from "../../lib/labels/index.ts";
import type { LoadBalancerStatus, Service, ServicePort, ServiceSpec } from "../generated/types.ts";
import { ageColumn, ageOf, column, nameColumn, nameOf, wideColumn } from "../registry/columns.ts";
import { defineResource } from "../registry/define.ts";
import type { Cell, Column, Draft } from "../registry/definition.ts";
import { resources } from "../resources.ts";
import { validateService, validateServiceUpdate } from "./service-validation.ts";
import { serviceWarnings } from "./service-warnings.ts";

const serviceColumns: readonly Column[] = [
  nameColumn,
  column("Type", "How the service is reached: ClusterIP, NodePort, LoadBalancer or ExternalName."),
  column("Cluster-IP", "The service's virtual address."),
  column("External-IP", "Addresses at which the service is reached from outside."),
  column("Port(s)", "The service's ports, with node ports after a colon."),
  ageColumn,
  wideColumn("Selector", "Which pods the service sends to."),
];

/** The addresses of a load balancer, names where it has no address. */
export function loadBalancerText(status: Pick<LoadBalancerStatus, "ingress"> | undefined): string {
  const places = (status?.ingress ?? []).map(({ ip, hostname }) => ip || (hostname ?? ""));
  return [...new Set(places.filter((place) => place !== ""))].toSorted().join(",");
}

function externalText({ spec = {}, status }: Service): string {
  const external = (spec.externalIPs ?? []).join(",");
  switch (spec.type ?? "") {
    case "LoadBalancer":
      return [loadBalancerText(status?.loadBalancer), external].filter((text) => text !== "").join(",") || "<pending>";
    case "ExternalName":
      return spec.externalName ?? "";
    case "ClusterIP":
    case "NodePort":
      return external || "<none>";
    default:
      return "<unknown>";
  }
}

function portsText(ports: readonly ServicePort[]): string {
  const texts = ports.map(({ port, nodePort, protocol }) =>
    nodePort ? `${port}:${nodePort}/${protocol ?? "TCP"}` : `${port}/${protocol ?? "TCP"}`,
  );
  return texts.join(",") || "<none>";
}

function serviceCells(service: Service, now: Date): readonly Cell[] {
  const { spec } = service;
  return [
    nameOf(service),
    spec?.type ?? "",
    spec?.clusterIP || "<none>",
    externalText(service),
    portsText(spec?.ports ?? []),
    ageOf(service, now),
    labelsText(spec?.selector),
  ];
}

function defaultService(spec: Draft<ServiceSpec>): void {
  spec.sessionAffinity ||= "None";
  if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
  else {
    spec.sessionAffinityConfig ??= {};
    spec.sessionAffinityConfig.clientIP ??= {};
    spec.sessionAffinityConfig.clientIP.timeoutSeconds ??= 10_800;
  }
  spec.type ||= "ClusterIP";
  for (const port of spec.ports ?? []) {
    port.protocol ||= "TCP";
    port.targetPort ||= port.port;
  }
  const isExternal = spec.type === "NodePort" || spec.type === "LoadBalancer";
  if (isExternal || (spec.externalIPs ?? []).length > 0) spec.externalTrafficPolicy ||= "Cluster";
  if (isExternal || spec.type === "ClusterIP") spec.internalTrafficPolicy ??= "Cluster";
  if (spec.type === "LoadBalancer") spec.allocateLoadBalancerNodePorts ??= true;
}

/** Which types of Service a field belongs to: it is dropped when the type changes to another. */
function dropWhatTypeHasNot(spec: Draft<ServiceSpec>, old: ServiceSpec): void {
  if (spec.type === old.type) return;
  const isExternal = spec.type === "NodePort" || spec.type === "LoadBalancer";
  if (spec.type === "ExternalName" && old.type !== "ExternalName") {
    if (spec.clusterIP === old.clusterIP) {
      delete spec.clusterIP;
      delete spec.clusterIPs;
      delete spec.ipFamilies;
      delete spec.ipFamilyPolicy;
    }
    delete spec.internalTrafficPolicy;
  }
  if (!isExternal) {
    for (const [index, port] of (spec.ports ?? []).entries()) {
      if (port.nodePort === old.ports?.[index]?.nodePort) delete port.nodePort;
    }
    if ((spec.externalIPs ?? []).length === 0) delete spec.externalTrafficPolicy;
  }
  if (spec.type !== "LoadBalancer") {
    delete spec.allocateLoadBalancerNodePorts;
    if (spec.healthCheckNodePort === old.healthCheckNodePort) delete spec.healthCheckNodePort;
    if (spec.loadBalancerClass === old.loadBalancerClass) delete spec.loadBalancerClass;
  }
}

/** `clusterIP` is the first of `clusterIPs`: a client that knows only one of them sets both. */
function alignClusterIps(spec: Draft<ServiceSpec>, old: ServiceSpec = {}): void {
  const isIpChanged = spec.clusterIP !== old.clusterIP;
  const areIpsChanged = (spec.clusterIPs ?? []).join() !== (old.clusterIPs ?? []).join();
  if (spec.clusterIP && (spec.clusterIPs === undefined || (isIpChanged && !areIpsChanged))) {
    spec.clusterIPs = [spec.clusterIP];
  } else if (!spec.clusterIP && isIpChanged && !areIpsChanged) delete spec.clusterIPs;
}

const hasNodePorts = (type: string | undefined): boolean => type === "NodePort" || type === "LoadBalancer";

/** A client that replaces a Service need not repeat what the server had chosen. */
function keepAllocations(spec: Draft<ServiceSpec>, old: ServiceSpec): void {
  if (spec.type !== "ExternalName" && old.type !== "ExternalName" && !spec.clusterIP && !spec.clusterIPs?.length) {
    if (old.clusterIP !== undefined) spec.clusterIP = old.clusterIP;
    if (old.clusterIPs !== undefined) spec.clusterIPs = [...old.clusterIPs];
  }
  if (!hasNodePorts(spec.type) || !hasNodePorts(old.type)) return;
  const taken = new Set((spec.ports ?? []).map(({ nodePort }) => nodePort));
  for (const port of spec.ports ?? []) {
    const twin = old.ports?.find((other) => other.port === port.port && other.protocol === port.protocol);
    if (port.nodePort || twin?.nodePort === undefined || taken.has(twin.nodePort)) continue;
    port.nodePort = twin.nodePort;
    taken.add(twin.nodePort);
  }
  if (!spec.healthCheckNodePort && old.healthCheckNodePort && spec.externalTrafficPolicy === "Local") {
    spec.healthCheckNodePort = old.healthCheckNodePort;
  }
}

export const services = defineResource(resources.services, {
  shortNames: ["svc"],
  categories: ["all"],
  hasStatus: true,
  nameRule: "rfc1035",
  subresources: {
    proxy: { style: "stream", verbs: ["create", "delete", "get", "patch", "update"], kind: "ServiceProxyOptions" },
  },
  columns: serviceColumns,
  cells: serviceCells,
  fields: ({ spec }) => ({ "spec.clusterIP": spec?.clusterIP ?? "", "spec.type": spec?.type ?? "" }),
  defaults(draft) {
    if (draft.spec) defaultService(draft.spec);
    draft.status ??= {};
    draft.status.loadBalancer ??= {};
  },
  onCreate(draft) {
    draft.status = { loadBalancer: {} };
    if (draft.spec) alignClusterIps(draft.spec);
  },
  onUpdate(draft, { old, subresource }) {
    if (subresource !== "" || !draft.spec || !old.spec) return;
    alignClusterIps(draft.spec, old.spec);
    keepAllocations(draft.spec, old.spec);
    dropWhatTypeHasNot(draft.spec, old.spec);
    if (draft.spec.type !== "LoadBalancer" && old.spec.type === "LoadBalancer") draft.status = { loadBalancer: {} };
  },
  warnings: serviceWarnings,
  validate: validateService,
  validateUpdate: validateServiceUpdate,
});
