/** Questions to answers: which records a name has, and whether it exists at all. */
import { isInZone, recordClasses, recordTypes, typeCodeOf } from "../../lib/dns-message/index.ts";
import type { RecordData, ResourceRecord } from "../../lib/dns-message/index.ts";
import { isIpAddress, parseIpAddress } from "../../lib/ip/index.ts";
import type { Provenance } from "../provenance.ts";
import type { EndpointEntry, ServiceEntry, ZonePort } from "./entries.ts";
import { parseZoneQuestion } from "./question.ts";
import type { ServiceQuestion, ZoneQuestion } from "./question.ts";
import { addressOfReverseName, isReverseName } from "./reverse.ts";
import type { DnsZone, NameAndType } from "./zone.ts";

const schemaVersion = "1.1.0";
/** As upstream: the version of the schema does not change while a server runs. */
const versionTtlSeconds = 28_800;

export interface CausedRecord extends ResourceRecord {
  /** The object this record comes from; absent for the zone's own (SOA, NS, dns-version). */
  readonly cause?: Provenance;
}

export interface ZoneAnswer {
  /** NODATA is NOERROR without answers; both it and NXDOMAIN carry the SOA record in `authorities`. */
  readonly rcode: "NOERROR" | "NXDOMAIN";
  readonly answers: readonly CausedRecord[];
  readonly authorities: readonly CausedRecord[];
  readonly additionals: readonly CausedRecord[];
  /** Where the answer is a CNAME: the name to resolve next, with the question's type. */
  readonly next?: string;
}

/** All that a name has, of whatever type; undefined: there is no such name. */
interface Found {
  readonly records: readonly CausedRecord[];
  /** Addresses of what the records point to. */
  readonly additionals?: readonly CausedRecord[];
}

/** Undefined where the name lies in none of the zones. */
export function answerQuestion(zone: DnsZone, { name, type }: NameAndType): ZoneAnswer | undefined {
  const { domain, reverseZones } = zone.options;
  if (isInZone(name, domain)) {
    const labels = name === domain ? [] : name.slice(0, -domain.length - 1).split(".");
    return select(zone, { origin: domain, type, found: find(zone, { name, type, asked: parseZoneQuestion(labels) }) });
  }
  const origin = reverseZones.find((reverse) => isInZone(name, reverse) && isReverseName(name));
  if (origin === undefined) return undefined;
  return select(zone, { origin, type, found: name === origin ? apex(zone, origin) : findPointers(zone, name) });
}

interface Selection {
  readonly origin: string;
  readonly type: number;
  readonly found: Found | undefined;
}

function select(zone: DnsZone, { origin, type, found }: Selection): ZoneAnswer {
  const records = found?.records ?? [];
  const alias = records.find(({ data }) => data.type === "CNAME");
  const answers =
    alias === undefined ? records.filter(({ data }) => type === typeCodeOf(data) || type === recordTypes.ANY) : [alias];
  const rcode = found === undefined ? "NXDOMAIN" : "NOERROR";
  if (answers.length === 0) return { rcode, answers, authorities: [soa(zone, origin)], additionals: [] };
  const needsAddresses = type === recordTypes.SRV || type === recordTypes.NS;
  const additionals = needsAddresses ? (found?.additionals ?? []) : [];
  const answer = { rcode, answers, authorities: [], additionals } as const;
  return alias?.data.type === "CNAME" && type !== recordTypes.CNAME ? { ...answer, next: alias.data.target } : answer;
}

interface Asked extends NameAndType {
  readonly asked: ZoneQuestion;
}

function find(zone: DnsZone, { name, type, asked }: Asked): Found | undefined {
  switch (asked.kind) {
    case "apex":
      return apex(zone, zone.options.domain);
    case "version": {
      const data = { type: "TXT", texts: [schemaVersion] } as const;
      return { records: [{ name, class: recordClasses.IN, ttlSeconds: versionTtlSeconds, data }] };
    }
    case "nameserver":
      return { records: nameservers(zone).map(({ address, cause }) => addressRecord(zone, { name, address, cause })) };
    case "branch":
      return { records: [] };
    case "namespace":
      return zone.hasNamespace(asked.namespace) ? { records: [] } : undefined;
    case "pod":
      return findPod(zone, { name, namespace: asked.namespace, pod: asked.pod });
    case "service":
      return findService(zone, { name, type, asked });
    case "unknown":
  }
  return undefined;
}

function apex(zone: DnsZone, origin: string): Found {
  const servers = nameservers(zone);
  const names = [...new Set(servers.map((server) => server.name))];
  return {
    records: [
      soa(zone, origin),
      ...names.map((target) => record(zone, { name: origin, data: { type: "NS", target } })),
    ],
    additionals: servers.map((server) => addressRecord(zone, server)),
  };
}

/** As CoreDNS: the first three lines of the SOA are fixed, negative answers live as long as positive ones. */
function soa(zone: DnsZone, origin: string): CausedRecord {
  const { domain, ttlSeconds } = zone.options;
  return {
    name: origin,
    class: recordClasses.IN,
    ttlSeconds: Math.min(ttlSeconds, 300),
    data: {
      type: "SOA",
      primary: `ns.dns.${domain}`,
      mailbox: `hostmaster.${domain}`,
      serial: zone.serial,
      refreshSeconds: 7200,
      retrySeconds: 1800,
      expireSeconds: 86_400,
      minimumSeconds: ttlSeconds,
    },
  };
}

interface NamedHost {
  readonly name: string;
  readonly address: string;
  readonly cause?: Provenance | undefined;
}

/** The Services that lead to this server; without one (not in a pod, or not ready yet) its own addresses. */
function nameservers(zone: DnsZone): readonly NamedHost[] {
  const { domain, localAddresses } = zone.options;
  const found = localAddresses.flatMap((local) =>
    zone.endpointsAt(local).flatMap(({ slice, endpoint }): readonly NamedHost[] => {
      const service = zone.service(slice.namespace, slice.service);
      if (service?.type === "headless")
        return [{ name: endpointName(zone, { service, endpoint }), address: local, cause: endpoint.cause }];
      if (service?.type !== "cluster-ip") return [];
      return service.addresses.map((address) => ({ name: serviceName(zone, service), address, cause: service.cause }));
    }),
  );
  if (found.length > 0) return unique(found, ({ name, address }) => `${name} ${address}`);
  return localAddresses.map((address) => ({ name: `ns.dns.${domain}`, address }));
}

function findPod(
  zone: DnsZone,
  { name, namespace, pod }: { readonly name: string; readonly namespace: string; readonly pod: string },
): Found | undefined {
  const { pods } = zone.options;
  if (pods === "disabled" || !zone.hasNamespace(namespace)) return undefined;
  // Three dashes, none doubled: IPv4. Else the dashes stand for the colons of IPv6.
  const isV4 = /^[^-]+(-[^-]+){3}$/.test(pod);
  const text = pod.replaceAll("-", isV4 ? "." : ":");
  if (!isIpAddress(text)) return undefined;
  const address = parseIpAddress(text);
  if (pods === "insecure") {
    const cause = { kind: "Namespace", name: namespace, detail: "pods insecure" };
    return { records: [addressRecord(zone, { name, address, cause })] };
  }
  const cause = zone.podAt(namespace, address);
  return cause === undefined ? undefined : { records: [addressRecord(zone, { name, address, cause })] };
}

/** One address behind a service, with one of its ports (none where it declares none). */
interface Target {
  readonly name: string;
  readonly address: string;
  readonly port: ZonePort | undefined;
  readonly cause: Provenance;
}

interface ServiceLookup extends NameAndType {
  readonly asked: ServiceQuestion;
}

function findService(zone: DnsZone, { name, type, asked }: ServiceLookup): Found | undefined {
  const service = zone.service(asked.namespace, asked.service);
  if (service === undefined || !zone.hasNamespace(asked.namespace)) return undefined;
  const isBare = asked.endpoint === undefined && asked.protocol === undefined;
  if (service.type === "external") {
    const data = { type: "CNAME", target: service.target } as const;
    return isBare ? { records: [record(zone, { name, data, cause: service.cause })] } : undefined;
  }
  const targets = targetsOf(zone, { service, asked });
  // A headless service without ready endpoints is NXDOMAIN, says the schema; a service without ports has its address.
  if (targets.length === 0) return undefined;
  // `_tcp.web…` has no records of its own, only names below it.
  if (asked.protocol !== undefined && asked.port === undefined) return { records: [] };
  const addresses = unique(targets, ({ address }) => address);
  const records = addresses.map((target) => addressRecord(zone, { ...target, name }));
  if (type !== recordTypes.SRV && type !== recordTypes.ANY) return { records };
  const withPort = unique(
    targets.filter((target) => target.port !== undefined),
    (target) => `${target.name} ${target.port?.port}`,
  );
  // As upstream: the weights share 100 between all targets.
  const weight = Math.max(1, Math.floor(100 / targets.length));
  const services = withPort.map((target) => {
    const data = { type: "SRV", priority: 0, weight, port: target.port?.port ?? 0, target: target.name } as const;
    return record(zone, { name, data, cause: target.cause });
  });
  const named = unique(targets, (target) => `${target.name} ${target.address}`);
  return { records: [...records, ...services], additionals: named.map((target) => addressRecord(zone, target)) };
}

interface ServiceAsked {
  readonly service: ServiceEntry;
  readonly asked: ServiceQuestion;
}

function targetsOf(zone: DnsZone, { service, asked }: ServiceAsked): readonly Target[] {
  if (service.type === "headless" || asked.endpoint !== undefined) return endpointTargets(zone, { service, asked });
  if (service.type !== "cluster-ip") return [];
  const name = serviceName(zone, service);
  return matchingPorts(service.ports, asked).flatMap((port) =>
    service.addresses.map((address) => ({ name, address, port, cause: service.cause })),
  );
}

/** Endpoints have names of their own whether their service is headless or not, as upstream. */
function endpointTargets(zone: DnsZone, { service, asked }: ServiceAsked): readonly Target[] {
  return zone.slicesOf(service.namespace, service.name).flatMap((slice) =>
    slice.endpoints
      .filter((endpoint) => asked.endpoint === undefined || endpoint.hostname === asked.endpoint)
      .flatMap((endpoint) =>
        matchingPorts(slice.ports, asked).map((port) => ({
          name: endpointName(zone, { service, endpoint }),
          address: endpoint.address,
          port,
          cause: endpoint.cause,
        })),
      ),
  );
}

/** `[undefined]` where no port was asked for and none is declared: the address is an answer all the same. */
function matchingPorts(ports: readonly ZonePort[], asked: ServiceQuestion): readonly (ZonePort | undefined)[] {
  if (asked.protocol === undefined) return ports.length === 0 ? [undefined] : ports;
  return ports.filter(
    (port) =>
      port.protocol === asked.protocol && (asked.port === undefined ? port.name !== "" : port.name === asked.port),
  );
}

function findPointers(zone: DnsZone, name: string): Found | undefined {
  const address = addressOfReverseName(name);
  if (address === undefined) return undefined;
  const service = zone.serviceAt(address);
  if (service !== undefined) {
    const data = { type: "PTR", target: serviceName(zone, service) } as const;
    return { records: [record(zone, { name, data, cause: service.cause })] };
  }
  const pointers = zone.endpointsAt(address).flatMap(({ slice, endpoint }) => {
    const owner = zone.service(slice.namespace, slice.service);
    if (owner === undefined) return [];
    const data = { type: "PTR", target: endpointName(zone, { service: owner, endpoint }) } as const;
    return [record(zone, { name, data, cause: endpoint.cause })];
  });
  return pointers.length === 0 ? undefined : { records: unique(pointers, ({ data }) => JSON.stringify(data)) };
}

function serviceName(
  zone: DnsZone,
  { name, namespace }: { readonly name: string; readonly namespace: string },
): string {
  return `${name}.${namespace}.svc.${zone.options.domain}`;
}

function endpointName(
  zone: DnsZone,
  { service, endpoint }: { readonly service: ServiceEntry; readonly endpoint: EndpointEntry },
): string {
  return `${endpoint.hostname}.${serviceName(zone, service)}`;
}

function addressRecord(zone: DnsZone, { name, address, cause }: NamedHost): CausedRecord {
  const type = address.includes(":") ? "AAAA" : "A";
  return record(zone, { name, data: { type, address }, cause });
}

function record(
  zone: DnsZone,
  { name, data, cause }: { readonly name: string; readonly data: RecordData; readonly cause?: Provenance | undefined },
): CausedRecord {
  const plain = { name, class: recordClasses.IN, ttlSeconds: zone.options.ttlSeconds, data };
  return cause === undefined ? plain : { ...plain, cause };
}

function unique<T>(items: readonly T[], keyOf: (item: T) => string): readonly T[] {
  if (items.length < 2) return items;
  return [...new Map(items.toReversed().map((item) => [keyOf(item), item])).values()].toReversed();
}
