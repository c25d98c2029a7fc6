/** What a name below the cluster's domain asks for, by the DNS schema 1.1.0 of Kubernetes. */

export type ZoneQuestion =
  /** The domain itself. */
  | { readonly kind: "apex" }
  /** `dns-version` */
  | { readonly kind: "version" }
  /** `ns.dns` */
  | { readonly kind: "nameserver" }
  /** `svc`, `pod`, `dns`: no records, but names below them (RFC 8020: they exist). */
  | { readonly kind: "branch" }
  /** `<namespace>.svc` and `<namespace>.pod` */
  | { readonly kind: "namespace"; readonly namespace: string }
  /** `10-244-1-5.<namespace>.pod` */
  | { readonly kind: "pod"; readonly namespace: string; readonly pod: string }
  | ServiceQuestion
  | { readonly kind: "unknown" };

export interface ServiceQuestion {
  readonly kind: "service";
  readonly namespace: string;
  readonly service: string;
  /** `<endpoint>.<service>…` */
  readonly endpoint?: string;
  /** `_tcp.<service>…`, without the underscore. */
  readonly protocol?: string;
  /** `_http._tcp.<service>…`, without the underscore. */
  readonly port?: string;
}

/** @param labels - Of the canonical name, without those of the domain: `["web", "default", "svc"]`. */
export function parseZoneQuestion(labels: readonly string[]): ZoneQuestion {
  const [branch, namespace, owner, ...rest] = labels.toReversed();
  if (branch === undefined) return { kind: "apex" };
  if (branch === "dns-version" && namespace === undefined) return { kind: "version" };
  if (branch === "dns") return parseDns(namespace, owner);
  if (branch !== "svc" && branch !== "pod") return { kind: "unknown" };
  if (namespace === undefined) return { kind: "branch" };
  if (owner === undefined) return { kind: "namespace", namespace };
  if (branch === "svc") return parseService({ kind: "service", namespace, service: owner }, rest);
  return rest.length === 0 ? { kind: "pod", namespace, pod: owner } : { kind: "unknown" };
}

function parseDns(first: string | undefined, second: string | undefined): ZoneQuestion {
  if (first === undefined) return { kind: "branch" };
  return first === "ns" && second === undefined ? { kind: "nameserver" } : { kind: "unknown" };
}

/** @param rest - What stands before the service's name, from the right. */
function parseService(service: ServiceQuestion, rest: readonly string[]): ZoneQuestion {
  const [first, second, third] = rest;
  if (first === undefined) return service;
  if (third !== undefined) return { kind: "unknown" };
  if (!first.startsWith("_")) return second === undefined ? { ...service, endpoint: first } : { kind: "unknown" };
  const protocol = first.slice(1);
  if (second === undefined) return { ...service, protocol };
  return second.startsWith("_") ? { ...service, protocol, port: second.slice(1) } : { kind: "unknown" };
}
