import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { parseLabelSelector } from "../../lib/labels/index.ts";
import type { EndpointSlice, Service, ServiceSpec } from "../../api/generated/types.ts";
import { recordTypes, typeCodeOf, typeName } from "../../lib/dns-message/index.ts";
import { provenanceText } from "../provenance.ts";
import { answerQuestion, DnsZone } from "./index.ts";
import type { CausedRecord, DnsZoneOptions } from "./index.ts";

function service(name: string, spec: ServiceSpec, namespace = "default"): Service {
  return { metadata: { name, namespace }, spec };
}

interface SliceOptions {
  readonly service: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly endpoints: EndpointSlice["endpoints"];
  readonly ports?: EndpointSlice["ports"];
  readonly addressType?: string;
}

function slice({
  service: owner,
  namespace = "default",
  name,
  endpoints = [],
  ports = [],
  addressType = "IPv4",
}: SliceOptions): EndpointSlice {
  const labels = { "kubernetes.io/service-name": owner };
  return { metadata: { name: name ?? `${owner}-abcde`, namespace, labels }, addressType, endpoints, ports };
}

const http = { name: "http", protocol: "TCP", port: 80 };

function zoneOf(options: Partial<DnsZoneOptions> = {}): DnsZone {
  const zone = new DnsZone({
    domain: "cluster.local.",
    reverseZones: ["in-addr.arpa.", "ip6.arpa."],
    ttlSeconds: 30,
    pods: "insecure",
    localAddresses: ["10.244.1.2"],
    ...options,
  });
  zone.serial = 7;
  for (const name of ["default", "kube-system", "shop"]) zone.setNamespace({ metadata: { name } });
  zone.setService(
    service("web", {
      clusterIP: "10.96.0.20",
      clusterIPs: ["10.96.0.20", "fd00:10:96::20"],
      ports: [http, { port: 443 }],
    }),
  );
  zone.setSlice(
    slice({
      service: "web",
      endpoints: [{ addresses: ["10.244.1.9"] }],
      ports: [{ name: "http", protocol: "TCP", port: 8080 }],
    }),
  );
  zone.setService(
    service("redis", { clusterIP: "None", clusterIPs: ["None"], ports: [{ name: "redis", port: 6379 }] }),
  );
  zone.setSlice(
    slice({
      service: "redis",
      endpoints: [
        { addresses: ["10.244.1.5"], hostname: "redis-0", conditions: { ready: true } },
        { addresses: ["10.244.2.5"], hostname: "redis-1" },
        { addresses: ["10.244.3.5"] },
        { addresses: ["10.244.3.6"], hostname: "redis-9", conditions: { ready: false } },
      ],
      ports: [{ name: "redis", protocol: "TCP", port: 6379 }],
    }),
  );
  zone.setService(service("alone", { clusterIP: "None", clusterIPs: ["None"] }));
  zone.setSlice(slice({ service: "alone", endpoints: [{ addresses: ["10.244.1.7"] }] }));
  zone.setService(service("empty", { clusterIP: "None", clusterIPs: ["None"] }));
  zone.setService(service("docs", { type: "ExternalName", externalName: "docs.example.com" }));
  zone.setService(
    service(
      "kube-dns",
      { clusterIP: "10.96.0.10", clusterIPs: ["10.96.0.10"], ports: [{ name: "dns", protocol: "UDP", port: 53 }] },
      "kube-system",
    ),
  );
  zone.setSlice(
    slice({
      service: "kube-dns",
      namespace: "kube-system",
      endpoints: [{ addresses: ["10.244.1.2"] }],
      ports: [{ name: "dns", protocol: "UDP", port: 53 }],
    }),
  );
  return zone;
}

function text({ name, ttlSeconds, data }: CausedRecord): string {
  const values = Object.entries(data).flatMap(([key, value]) => (key === "type" ? [] : [String(value)]));
  return `${name} ${ttlSeconds} ${typeName(typeCodeOf(data))} ${values.join(" ")}`;
}

/** `dig +short` in one line: the answers, or NODATA, NXDOMAIN, none of ours. */
function ask(zone: DnsZone, name: string, type: keyof typeof recordTypes): string {
  const answer = answerQuestion(zone, { name, type: recordTypes[type] });
  if (answer === undefined) return "not ours";
  if (answer.answers.length > 0)
    return answer.answers
      .map(text)
      .map((line) => line.slice(name.length + 1))
      .join("; ");
  assert.deepEqual(
    answer.authorities.map((record) => record.data.type),
    ["SOA"],
  );
  return answer.rcode === "NXDOMAIN" ? "NXDOMAIN" : "NODATA";
}

describe("a zone answers", () => {
  const local = "svc.cluster.local.";
  const table: readonly (readonly [string, keyof typeof recordTypes, string])[] = [
    // Services with a cluster address.
    [`web.default.${local}`, "A", "30 A 10.96.0.20"],
    [`web.default.${local}`, "AAAA", "30 AAAA fd00:10:96::20"],
    [`kube-dns.kube-system.${local}`, "AAAA", "NODATA"],
    [`web.default.${local}`, "TXT", "NODATA"],
    [`web.default.${local}`, "MX", "NODATA"],
    [`web.default.${local}`, "CNAME", "NODATA"],
    [`web.shop.${local}`, "A", "NXDOMAIN"],
    [`web.nowhere.${local}`, "A", "NXDOMAIN"],
    [`_dns._udp.kube-dns.kube-system.${local}`, "SRV", `30 SRV 0 100 53 kube-dns.kube-system.${local}`],
    [`_dns._tcp.kube-dns.kube-system.${local}`, "SRV", "NXDOMAIN"],
    [`_http._tcp.web.default.${local}`, "A", "30 A 10.96.0.20"],
    [`_tcp.web.default.${local}`, "A", "NODATA"],
    [`_udp.web.default.${local}`, "A", "NXDOMAIN"],
    [`http._tcp.web.default.${local}`, "SRV", "NXDOMAIN"],
    [`a._http._tcp.web.default.${local}`, "SRV", "NXDOMAIN"],
    [`10-244-1-9.web.default.${local}`, "A", "30 A 10.244.1.9"],
    // Namespaces and branches.
    [`default.${local}`, "A", "NODATA"],
    [`nowhere.${local}`, "A", "NXDOMAIN"],
    [local, "A", "NODATA"],
    ["pod.cluster.local.", "A", "NODATA"],
    ["other.cluster.local.", "A", "NXDOMAIN"],
    ["*.default.svc.cluster.local.", "A", "NXDOMAIN"],
    // Headless services: every ready endpoint.
    [`redis.default.${local}`, "A", "30 A 10.244.1.5; 30 A 10.244.2.5; 30 A 10.244.3.5"],
    [`redis-1.redis.default.${local}`, "A", "30 A 10.244.2.5"],
    [`redis-1.redis.default.${local}`, "AAAA", "NODATA"],
    [`10-244-3-5.redis.default.${local}`, "A", "30 A 10.244.3.5"],
    [`redis-9.redis.default.${local}`, "A", "NXDOMAIN"],
    [`alone.default.${local}`, "A", "30 A 10.244.1.7"],
    [`alone.default.${local}`, "SRV", "NODATA"],
    [`empty.default.${local}`, "A", "NXDOMAIN"],
    // ExternalName.
    [`docs.default.${local}`, "CNAME", "30 CNAME docs.example.com."],
    [`docs.default.${local}`, "A", "30 CNAME docs.example.com."],
    [`_http._tcp.docs.default.${local}`, "SRV", "NXDOMAIN"],
    // Pods.
    ["10-244-2-5.default.pod.cluster.local.", "A", "30 A 10.244.2.5"],
    ["10-244-2-5.default.pod.cluster.local.", "AAAA", "NODATA"],
    ["fd00--5.default.pod.cluster.local.", "AAAA", "30 AAAA fd00::5"],
    ["10-244-2-5.nowhere.pod.cluster.local.", "A", "NXDOMAIN"],
    ["10-244-2-500.default.pod.cluster.local.", "A", "NXDOMAIN"],
    ["a.10-244-2-5.default.pod.cluster.local.", "A", "NXDOMAIN"],
    // Reverse.
    ["20.0.96.10.in-addr.arpa.", "PTR", `30 PTR web.default.${local}`],
    ["5.1.244.10.in-addr.arpa.", "PTR", `30 PTR redis-0.redis.default.${local}`],
    ["5.3.244.10.in-addr.arpa.", "PTR", `30 PTR 10-244-3-5.redis.default.${local}`],
    ["99.0.96.10.in-addr.arpa.", "PTR", "NXDOMAIN"],
    ["020.0.96.10.in-addr.arpa.", "PTR", "NXDOMAIN"],
    ["20.0.96.10.in-addr.arpa.", "A", "NODATA"],
    ["0.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.1.0.0.0.0.d.f.ip6.arpa.", "PTR", `30 PTR web.default.${local}`],
    // The zone's own.
    ["dns-version.cluster.local.", "TXT", "28800 TXT 1.1.0"],
    ["cluster.local.", "NS", `30 NS kube-dns.kube-system.${local}`],
    ["cluster.local.", "SOA", "30 SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 7200 1800 86400 30"],
    ["cluster.local.", "A", "NODATA"],
    ["ns.dns.cluster.local.", "A", "30 A 10.96.0.10"],
    ["example.com.", "A", "not ours"],
    ["notcluster.local.", "A", "not ours"],
  ];
  for (const [name, type, expected] of table) {
    test(`${name} ${type}: ${expected}`, () => assert.equal(ask(zoneOf(), name, type), expected));
  }

  test("SRV of a headless service with one target per endpoint, their addresses beside", () => {
    const answer = answerQuestion(zoneOf(), { name: `_redis._tcp.redis.default.${local}`, type: recordTypes.SRV });
    const owner = `_redis._tcp.redis.default.${local}`;
    assert.deepEqual(answer?.answers.map(text), [
      `${owner} 30 SRV 0 33 6379 redis-0.redis.default.${local}`,
      `${owner} 30 SRV 0 33 6379 redis-1.redis.default.${local}`,
      `${owner} 30 SRV 0 33 6379 10-244-3-5.redis.default.${local}`,
    ]);
    assert.deepEqual(answer.additionals.map(text), [
      `redis-0.redis.default.${local} 30 A 10.244.1.5`,
      `redis-1.redis.default.${local} 30 A 10.244.2.5`,
      `10-244-3-5.redis.default.${local} 30 A 10.244.3.5`,
    ]);
  });

  test("SRV of a service without naming a port with all its ports", () => {
    const answer = answerQuestion(zoneOf(), { name: `web.default.${local}`, type: recordTypes.SRV });
    assert.deepEqual(
      answer?.answers.map(({ data }) => (data.type === "SRV" ? data.port : undefined)),
      [80, 443],
    );
  });

  test("with the object that caused each record", () => {
    const zone = zoneOf();
    const causes = (name: string): readonly string[] =>
      answerQuestion(zone, { name, type: recordTypes.A })?.answers.map(({ cause }) =>
        cause === undefined ? "" : provenanceText(cause),
      ) ?? [];
    assert.deepEqual(causes(`web.default.${local}`), ["Service default/web"]);
    assert.equal(causes(`redis.default.${local}`)[0], "EndpointSlice default/redis-abcde endpoint 10.244.1.5");
    assert.deepEqual(causes("10-244-2-5.default.pod.cluster.local."), ["Namespace default pods insecure"]);
  });

  test("an alias with the name to resolve next, except where the alias itself was asked for", () => {
    const zone = zoneOf();
    assert.equal(
      answerQuestion(zone, { name: `docs.default.${local}`, type: recordTypes.A })?.next,
      "docs.example.com.",
    );
    assert.equal(answerQuestion(zone, { name: `docs.default.${local}`, type: recordTypes.CNAME })?.next, undefined);
  });

  test("its own addresses as name server where no Service leads to it", () => {
    const zone = zoneOf({ localAddresses: ["192.168.60.1"] });
    assert.equal(ask(zone, "cluster.local.", "NS"), "30 NS ns.dns.cluster.local.");
    assert.equal(ask(zone, "ns.dns.cluster.local.", "A"), "30 A 192.168.60.1");
  });

  test("pods in the mode verified only where such a pod lives in the namespace", () => {
    const zone = zoneOf({ pods: "verified" });
    zone.setPod({
      metadata: { name: "p", namespace: "shop" },
      status: { phase: "Running", podIPs: [{ ip: "10.244.2.5" }] },
    });
    assert.equal(ask(zone, "10-244-2-5.shop.pod.cluster.local.", "A"), "30 A 10.244.2.5");
    assert.equal(ask(zone, "10-244-2-5.default.pod.cluster.local.", "A"), "NXDOMAIN");
    zone.deletePod("shop/p");
    assert.equal(ask(zone, "10-244-2-5.shop.pod.cluster.local.", "A"), "NXDOMAIN");
  });

  test("no pods in the mode disabled", () => {
    assert.equal(ask(zoneOf({ pods: "disabled" }), "10-244-2-5.default.pod.cluster.local.", "A"), "NXDOMAIN");
  });
});

describe("a zone follows its objects", () => {
  test("a service that becomes headless answers with its endpoints, and its address has no name any more", () => {
    const zone = zoneOf();
    zone.setService(service("web", { clusterIP: "None", clusterIPs: ["None"] }));
    assert.equal(ask(zone, "web.default.svc.cluster.local.", "A"), "30 A 10.244.1.9");
    assert.equal(ask(zone, "20.0.96.10.in-addr.arpa.", "PTR"), "NXDOMAIN");
  });

  test("a slice that moves to another service leaves the first", () => {
    const zone = zoneOf();
    zone.setSlice(slice({ service: "empty", name: "redis-abcde", endpoints: [{ addresses: ["10.244.1.5"] }] }));
    assert.equal(ask(zone, "redis.default.svc.cluster.local.", "A"), "NXDOMAIN");
    assert.equal(ask(zone, "empty.default.svc.cluster.local.", "A"), "30 A 10.244.1.5");
  });

  test("a service with several slices has the endpoints of all, each once", () => {
    const zone = zoneOf();
    zone.setSlice(
      slice({
        service: "alone",
        name: "alone-2",
        endpoints: [{ addresses: ["10.244.9.9"] }, { addresses: ["10.244.1.7"] }],
      }),
    );
    assert.equal(ask(zone, "alone.default.svc.cluster.local.", "A"), "30 A 10.244.9.9; 30 A 10.244.1.7");
  });

  test("removing everything leaves nothing behind and counts as changes", () => {
    const zone = zoneOf();
    const { version } = zone;
    for (const name of ["web", "redis", "alone", "empty", "docs"]) {
      zone.deleteService(`default/${name}`);
      zone.deleteSlice(`default/${name}-abcde`);
    }
    zone.deleteNamespace("shop");
    assert.equal(ask(zone, "web.default.svc.cluster.local.", "A"), "NXDOMAIN");
    assert.equal(ask(zone, "5.1.244.10.in-addr.arpa.", "PTR"), "NXDOMAIN");
    assert.equal(ask(zone, "shop.svc.cluster.local.", "A"), "NXDOMAIN");
    assert.equal(zone.version, version + 11);
  });
});

test("whatever the name and type, a zone answers without throwing, and existence does not depend on the type", () => {
  const zone = zoneOf();
  const label = fc.oneof(
    fc.constantFrom(
      "web",
      "redis",
      "default",
      "svc",
      "pod",
      "_tcp",
      "_http",
      "redis-0",
      "cluster",
      "local",
      "in-addr",
      "arpa",
      "10",
      "-",
      "a\\.b",
    ),
    fc.stringMatching(/^[a-z0-9_-]{1,8}$/),
  );
  const names = fc
    .tuple(
      fc.array(label, { maxLength: 6 }),
      fc.constantFrom("svc.cluster.local.", "cluster.local.", "in-addr.arpa.", "ip6.arpa.", ""),
    )
    .map(([labels, end]) => `${labels.map((part) => `${part}.`).join("")}${end}`)
    .map((name) => (name === "" ? "." : name));
  fc.assert(
    fc.property(names, fc.nat(300), (name, type) => {
      const answer = answerQuestion(zone, { name, type });
      assert.equal(answer?.rcode, answerQuestion(zone, { name, type: recordTypes.A })?.rcode);
    }),
  );
});

describe("a zone that is cut", () => {
  test("to some namespaces knows no others", () => {
    const zone = zoneOf({ namespaces: ["kube-system"] });
    assert.equal(ask(zone, "web.default.svc.cluster.local.", "A"), "NXDOMAIN");
    assert.equal(ask(zone, "redis-0.redis.default.svc.cluster.local.", "A"), "NXDOMAIN");
    assert.match(ask(zone, "kube-dns.kube-system.svc.cluster.local.", "A"), /10\.96\.0\.10/);
  });

  test("to some labels knows objects with them only, and forgets those that lose them", () => {
    const zone = zoneOf({ selector: parseLabelSelector("tier=front") });
    assert.equal(ask(zone, "web.default.svc.cluster.local.", "A"), "NXDOMAIN");
    const chosen = service("chosen", { clusterIP: "10.96.0.77", ports: [http] });
    zone.setService({ ...chosen, metadata: { ...chosen.metadata, labels: { tier: "front" } } });
    assert.match(ask(zone, "chosen.default.svc.cluster.local.", "A"), /10\.96\.0\.77/);
    zone.setService(chosen);
    assert.equal(ask(zone, "chosen.default.svc.cluster.local.", "A"), "NXDOMAIN");
  });

  test("by noendpoints knows services with an address only", () => {
    const zone = zoneOf({ ignoresEndpoints: true });
    assert.match(ask(zone, "web.default.svc.cluster.local.", "A"), /10\.96\.0\.20/);
    assert.equal(ask(zone, "redis.default.svc.cluster.local.", "A"), "NXDOMAIN");
  });

  test("by endpoint_pod_names names endpoints without a hostname after their pods", () => {
    const zone = zoneOf({ usesPodNames: true });
    zone.setSlice(
      slice({
        service: "alone",
        endpoints: [{ addresses: ["10.244.1.7"], targetRef: { kind: "Pod", name: "alone-x2k" } }],
      }),
    );
    assert.match(ask(zone, "alone-x2k.alone.default.svc.cluster.local.", "A"), /10\.244\.1\.7/);
    assert.equal(ask(zone, "10-244-1-7.alone.default.svc.cluster.local.", "A"), "NXDOMAIN");
  });
});
