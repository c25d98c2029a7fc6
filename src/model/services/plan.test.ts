import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Endpoint, EndpointSlice, Service, ServicePort, ServiceSpec } from "../../api/generated/types.ts";
import { cidrContains, parseCidr, parseIpAddress, type IpAddress } from "../../lib/ip/index.ts";
import { provenanceText } from "../provenance.ts";
import {
  createWalker,
  diffRuleSets,
  isElementsOnly,
  isEmptyTransaction,
  renderTransaction,
  type RuleSet,
  type WalkInput,
  type WalkResult,
} from "../rules/index.ts";
import { createServicePlan, ruleSetOf, updateServicePlan, type NodeNetwork, type ServiceObjects } from "./index.ts";

const node: NodeNetwork = {
  name: "node-1",
  addresses: [parseIpAddress("192.168.60.11"), parseIpAddress("fd00:60::11")],
  podCidrs: [parseCidr("10.244.1.0/24"), parseCidr("fd00:244:1::/64")],
  clusterCidrs: ["10.244.0.0/16", "192.168.60.0/24", "fd00:244::/32", "fd00:60::/64"].map((cidr) => parseCidr(cidr)),
  serviceCidrs: [parseCidr("10.96.0.0/12"), parseCidr("fd00:96::/112")],
  podInterfacePrefix: "v",
};
const local = new Set<string>([...node.addresses, "127.0.0.1", "::1"]);

/** Endpoint addresses on this node and on another. */
const here = ["10.244.1.5", "10.244.1.6"] as const;
const there = ["10.244.2.5", "10.244.2.6"] as const;
const httpPort: ServicePort = { name: "http", port: 80, protocol: "TCP", nodePort: 30_080 };

interface ServiceSketch {
  readonly name?: string;
  readonly spec?: Partial<ServiceSpec>;
  readonly vips?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly endpoints?: readonly (string | Endpoint)[];
}

function objects({ name = "web", spec = {}, vips = [], labels = {}, endpoints = [] }: ServiceSketch): ServiceObjects {
  const service: Service = {
    metadata: { namespace: "default", name, labels },
    spec: { type: "ClusterIP", clusterIP: "10.96.0.80", ports: [httpPort], ...spec },
    status: { loadBalancer: { ingress: vips.map((ip) => ({ ip })) } },
  };
  const slice: EndpointSlice = {
    metadata: { namespace: "default", name: `${name}-x` },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints: endpoints.map((endpoint) =>
      typeof endpoint === "string" ? { addresses: [endpoint], nodeName: nodeNameOf(endpoint) } : endpoint,
    ),
  };
  return { key: `default/${name}`, service, slices: [slice] };
}

function nodeNameOf(address: string): string {
  return address.startsWith("10.244.1.") || address === node.addresses[0] ? "node-1" : "node-2";
}

function planned(...services: readonly ServiceSketch[]): RuleSet {
  const plan = createServicePlan(node);
  updateServicePlan(plan, { services: services.map(objects) });
  return ruleSetOf(plan);
}

type Via = "pod" | "node" | "outside";
const sources: Readonly<Record<Via, string>> = { pod: here[1], node: node.addresses[0] ?? "", outside: "203.0.113.9" };

function send(
  ruleSet: RuleSet,
  to: {
    readonly via: Via;
    readonly address: string;
    readonly port: number;
    readonly source?: string;
    readonly protocol?: string;
  },
  connection: Partial<WalkInput> = {},
): readonly WalkResult[] {
  const links: Readonly<Record<Via, Partial<WalkInput>>> = {
    pod: { interfaceName: "v0123456789" },
    node: {},
    outside: { interfaceName: "eth0" },
  };
  return createWalker(ruleSet, {
    addressType: (address) =>
      local.has(address) || cidrContains(parseCidr("127.0.0.0/8"), address) ? "local" : "unicast",
    masqueradeAddress: () => node.addresses[0] as IpAddress,
    isReachedBy: (source, link) => link.startsWith("v") === cidrContains(parseCidr("10.244.1.0/24"), source),
  }).walkAll({
    packet: {
      family: "ip",
      source: parseIpAddress(to.source ?? sources[to.via]),
      destination: parseIpAddress(to.address),
      protocol: to.protocol ?? "tcp",
      sourcePort: 40_000,
      destinationPort: to.port,
    },
    ...links[to.via],
    ...connection,
  });
}

/** "10.244.1.5:8080", "10.244.1.5:8080 hidden" with the source changed, "drop", "reject"; each possible end once, in order. */
function ends(results: readonly WalkResult[]): readonly string[] {
  const texts = results.map(({ verdict, packet, isSourceTranslated, rejectedWith }) => {
    if (verdict !== "accept") return rejectedWith ?? verdict;
    return `${packet.destination}:${packet.destinationPort}${isSourceTranslated ? " hidden" : ""}`;
  });
  return [...new Set(texts)].toSorted();
}

const clusterIp = { address: "10.96.0.80", port: 80 };
const nodePort = { address: "192.168.60.11", port: 30_080 };
const lb: Partial<ServiceSpec> = { type: "LoadBalancer" };
const [near, nearby] = here.map((address) => `${address}:8080`) as [string, string];
const [far] = there.map((address) => `${address}:8080`) as [string];

describe("services on a packet's way", () => {
  const cases: readonly {
    readonly name: string;
    readonly service: ServiceSketch;
    readonly to: Parameters<typeof send>[1];
    readonly ends: readonly string[];
  }[] = [
    {
      name: "a pod reaches each endpoint of a ClusterIP",
      service: { endpoints: [here[0], there[0]] },
      to: { via: "pod", ...clusterIp },
      ends: [near, far],
    },
    {
      name: "the node reaches a ClusterIP under its own address",
      service: { endpoints: [there[0]] },
      to: { via: "node", ...clusterIp },
      ends: [`${far} hidden`],
    },
    {
      name: "a pod that reaches itself is hidden behind its node",
      service: { endpoints: [here[1]] },
      to: { via: "pod", ...clusterIp },
      ends: [`${nearby} hidden`],
    },
    {
      name: "an endpoint in the host's network is reached",
      service: { endpoints: ["192.168.60.11"] },
      to: { via: "pod", ...clusterIp },
      ends: ["192.168.60.11:8080"],
    },
    { name: "a service without endpoints refuses", service: {}, to: { via: "pod", ...clusterIp }, ends: ["tcp reset"] },
    {
      name: "a NodePort without endpoints refuses",
      service: { spec: { type: "NodePort" } },
      to: { via: "outside", ...nodePort },
      ends: ["tcp reset"],
    },
    {
      name: "UDP is refused by an ICMP error",
      service: { spec: { ports: [{ ...httpPort, protocol: "UDP" }] } },
      to: { via: "pod", ...clusterIp, protocol: "udp" },
      ends: ["icmp port-unreachable"],
    },
    {
      name: "another port of a ClusterIP refuses",
      service: { endpoints: [here[0]] },
      to: { via: "pod", address: "10.96.0.80", port: 81 },
      ends: ["tcp reset"],
    },
    {
      name: "another protocol on a service's port refuses",
      service: { endpoints: [here[0]] },
      to: { via: "pod", ...clusterIp, protocol: "udp" },
      ends: ["icmp port-unreachable"],
    },
    {
      name: "an address of no service is dropped",
      service: { endpoints: [here[0]] },
      to: { via: "pod", address: "10.96.9.9", port: 80 },
      ends: ["drop"],
    },
    {
      name: "a NodePort from outside is answered by way of the node",
      service: { spec: { type: "NodePort" }, endpoints: [here[0], there[0]] },
      to: { via: "outside", ...nodePort },
      ends: [`${near} hidden`, `${far} hidden`],
    },
    {
      name: "a NodePort from a pod of the node",
      service: { spec: { type: "NodePort" }, endpoints: [there[0]] },
      to: { via: "pod", ...nodePort },
      ends: [far],
    },
    {
      name: "a NodePort does not answer on loopback",
      service: { spec: { type: "NodePort" }, endpoints: [here[0]] },
      to: { via: "node", address: "127.0.0.1", port: 30_080, source: "127.0.0.1" },
      ends: ["127.0.0.1:30080"],
    },
    {
      name: "external Local keeps the client's address",
      service: { spec: { type: "NodePort", externalTrafficPolicy: "Local" }, endpoints: [here[0], there[0]] },
      to: { via: "outside", ...nodePort },
      ends: [near],
    },
    {
      name: "external Local without local endpoints is silent",
      service: { spec: { type: "NodePort", externalTrafficPolicy: "Local" }, endpoints: [there[0]] },
      to: { via: "outside", ...nodePort },
      ends: ["drop"],
    },
    {
      name: "external Local without any endpoint refuses",
      service: { spec: { type: "NodePort", externalTrafficPolicy: "Local" } },
      to: { via: "outside", ...nodePort },
      ends: ["tcp reset"],
    },
    {
      name: "external Local lets pods reach all endpoints",
      service: { spec: { type: "NodePort", externalTrafficPolicy: "Local" }, endpoints: [there[0]] },
      to: { via: "pod", ...nodePort },
      ends: [far],
    },
    {
      name: "external Local lets the node reach all endpoints",
      service: { spec: { type: "NodePort", externalTrafficPolicy: "Local" }, endpoints: [there[0]] },
      to: { via: "node", ...nodePort },
      ends: [`${far} hidden`],
    },
    {
      name: "external Local does not bind the ClusterIP",
      service: { spec: { type: "NodePort", externalTrafficPolicy: "Local" }, endpoints: [there[0]] },
      to: { via: "pod", ...clusterIp },
      ends: [far],
    },
    {
      name: "internal Local stays on the node",
      service: { spec: { internalTrafficPolicy: "Local" }, endpoints: [here[0], there[0]] },
      to: { via: "pod", ...clusterIp },
      ends: [near],
    },
    {
      name: "internal Local without local endpoints is silent",
      service: { spec: { internalTrafficPolicy: "Local" }, endpoints: [there[0]] },
      to: { via: "pod", ...clusterIp },
      ends: ["drop"],
    },
    {
      name: "an external IP is answered like a NodePort",
      service: { spec: { externalIPs: ["198.51.100.7"] }, endpoints: [here[0]] },
      to: { via: "outside", address: "198.51.100.7", port: 80 },
      ends: [`${near} hidden`],
    },
    {
      name: "another port of an external IP is none of ours",
      service: { spec: { externalIPs: ["198.51.100.7"] }, endpoints: [here[0]] },
      to: { via: "outside", address: "198.51.100.7", port: 22 },
      ends: ["198.51.100.7:22"],
    },
    {
      name: "a load balancer's address is answered",
      service: { spec: lb, vips: ["198.51.100.8"], endpoints: [here[0]] },
      to: { via: "outside", address: "198.51.100.8", port: 80 },
      ends: [`${near} hidden`],
    },
    {
      name: "a load balancer's address takes whom the ranges allow",
      service: {
        spec: { ...lb, loadBalancerSourceRanges: ["203.0.113.0/24", "203.0.113.0/28"] },
        vips: ["198.51.100.8"],
        endpoints: [here[0]],
      },
      to: { via: "outside", address: "198.51.100.8", port: 80 },
      ends: [`${near} hidden`],
    },
    {
      name: "a load balancer's address drops others",
      service: {
        spec: { ...lb, loadBalancerSourceRanges: ["10.0.0.0/8"] },
        vips: ["198.51.100.8"],
        endpoints: [here[0]],
      },
      to: { via: "outside", address: "198.51.100.8", port: 80 },
      ends: ["drop"],
    },
    {
      name: "source ranges do not bind the NodePort",
      service: {
        spec: { ...lb, loadBalancerSourceRanges: ["10.0.0.0/8"] },
        vips: ["198.51.100.8"],
        endpoints: [here[0]],
      },
      to: { via: "outside", ...nodePort },
      ends: [`${near} hidden`],
    },
    {
      name: "ranges and Local together",
      service: {
        spec: { ...lb, externalTrafficPolicy: "Local", loadBalancerSourceRanges: ["203.0.113.0/24"] },
        vips: ["198.51.100.8"],
        endpoints: [here[0], there[0]],
      },
      to: { via: "outside", address: "198.51.100.8", port: 80 },
      ends: [near],
    },
    {
      name: "affinity may choose each endpoint at first",
      service: { spec: { sessionAffinity: "ClientIP" }, endpoints: [here[0], there[0]] },
      to: { via: "pod", ...clusterIp },
      ends: [near, far],
    },
    {
      name: "an endpoint that is not ready gets nothing",
      service: { endpoints: [here[0], { addresses: [there[0]], conditions: { ready: false, serving: true } }] },
      to: { via: "pod", ...clusterIp },
      ends: [near],
    },
    {
      name: "with none ready, those that still serve while they end are used",
      service: {
        endpoints: [
          { addresses: [here[0]], conditions: { ready: false, serving: true, terminating: true } },
          { addresses: [there[0]], conditions: { ready: false, serving: false, terminating: true } },
        ],
      },
      to: { via: "pod", ...clusterIp },
      ends: [near],
    },
    {
      name: "the slices' last word decides: ready wins",
      service: { endpoints: [{ addresses: [here[0]], conditions: { ready: false } }, here[0]] },
      to: { via: "pod", ...clusterIp },
      ends: [near],
    },
    {
      name: "pods keep their address within the cluster",
      service: {},
      to: { via: "pod", address: there[0], port: 80 },
      ends: [`${there[0]}:80`],
    },
    {
      name: "pods take the node's address beyond the cluster",
      service: {},
      to: { via: "pod", address: "198.51.100.1", port: 443 },
      ends: ["198.51.100.1:443 hidden"],
    },
    {
      name: "pods take the node's address towards an endpoint beyond the cluster",
      service: { endpoints: ["198.51.100.1"] },
      to: { via: "pod", ...clusterIp },
      ends: ["198.51.100.1:8080 hidden"],
    },
    {
      name: "the node's own packets stay as they are",
      service: {},
      to: { via: "node", address: "198.51.100.1", port: 443 },
      ends: ["198.51.100.1:443"],
    },
    {
      name: "a pod under another's address is dropped",
      service: { endpoints: [here[0]] },
      to: { via: "pod", ...clusterIp, source: there[1] },
      ends: ["drop"],
    },
    {
      name: "ICMP to a ClusterIP is refused",
      service: { endpoints: [here[0]] },
      to: { via: "pod", address: "10.96.0.80", port: 80, protocol: "icmp" },
      ends: ["icmp port-unreachable"],
    },
    {
      name: "a headless service is left alone",
      service: { spec: { clusterIP: "None", clusterIPs: ["None"] }, endpoints: [here[0]] },
      to: { via: "pod", ...clusterIp },
      ends: ["drop"],
    },
    {
      name: "an ExternalName service is left alone",
      service: { spec: { type: "ExternalName", externalName: "a.example" } },
      to: { via: "pod", ...clusterIp },
      ends: ["drop"],
    },
    {
      name: "a service of another proxy is left alone",
      service: { labels: { "service.kubernetes.io/service-proxy-name": "other" }, endpoints: [here[0]] },
      to: { via: "pod", ...clusterIp },
      ends: ["drop"],
    },
  ];
  for (const { name, service, to, ends: expected } of cases) {
    test(name, () => assert.deepEqual(ends(send(planned(service), to)), expected.toSorted()));
  }

  test("each step names the object that caused it", () => {
    const pod: Endpoint = {
      addresses: [here[0]],
      nodeName: "node-1",
      targetRef: { kind: "Pod", namespace: "default", name: "web-1" },
    };
    const [result] = send(planned({ endpoints: [pod] }), { via: "pod", ...clusterIp });
    const causes = (result?.steps ?? []).flatMap(({ elements }) =>
      elements.map(({ set, cause }) => `${set}: ${provenanceText(cause)}`),
    );
    assert.deepEqual(causes, [
      "frontends: Service default/web port http",
      "counts: Service default/web port http",
      "slots: Pod default/web-1",
    ]);
    assert.deepEqual(result?.steps.map(({ hook, chain }) => `${hook} ${chain}`).slice(0, 5), [
      "prerouting nat-prerouting",
      "prerouting services",
      "prerouting services",
      "prerouting services",
      "prerouting n1",
    ]);
  });

  test("later packets of a connection are not translated again", () => {
    const results = send(planned({}), { via: "pod", ...clusterIp }, { state: "established" });
    assert.deepEqual(ends(results), ["10.96.0.80:80"]);
  });

  test("what is no service's is dropped in ranges that are added too, and the chain changes alone", () => {
    const plan = createServicePlan(node);
    updateServicePlan(plan, { services: [objects({ endpoints: here })] });
    const to = { via: "pod", port: 80 } as const;
    assert.deepEqual(ends(send(ruleSetOf(plan), { ...to, address: "10.222.0.9" })), ["10.222.0.9:80 hidden"]);
    const serviceCidrs = ["10.96.0.0/12", "fd00:96::/112", "10.222.0.0/24", "10.222.0.0/25"].map((cidr) =>
      parseCidr(cidr),
    );
    const { transaction } = updateServicePlan(plan, { serviceCidrs });
    assert.deepEqual(transaction.addedElements, []);
    assert.deepEqual(new Set(transaction.chains.map(({ chain }) => chain.name)), new Set(["not-translated"]));
    assert.deepEqual(ends(send(ruleSetOf(plan), { ...to, address: "10.222.0.9" })), ["drop"]);
    assert.deepEqual(ends(send(ruleSetOf(plan), { ...to, address: "10.96.7.7" })), ["drop"]);
  });

  test("packets out of the window are dropped", () => {
    const results = send(planned({}), { via: "pod", address: there[0], port: 80 }, { state: "invalid" });
    assert.deepEqual(ends(results), ["drop"]);
  });
});

describe("hints", () => {
  const hinted = (address: string, hints: NonNullable<Endpoint["hints"]>, ready = true): Endpoint => ({
    addresses: [address],
    nodeName: nodeNameOf(address),
    conditions: { ready },
    hints,
  });
  const zone = (name: string) => ({ forZones: [{ name }] });
  const node1 = (name: string) => ({ forNodes: [{ name }], forZones: [{ name: "a" }] });
  const cases: readonly {
    readonly name: string;
    readonly endpoints: readonly (string | Endpoint)[];
    readonly zone?: string;
    readonly ends: readonly string[];
  }[] = [
    {
      name: "lead to the endpoints of the node's zone",
      endpoints: [hinted(here[0], zone("a")), hinted(there[0], zone("b")), hinted(there[1], zone("a"))],
      zone: "a",
      ends: [`${here[0]}:8080`, `${there[1]}:8080`],
    },
    {
      name: "do not count on a node without zone",
      endpoints: [hinted(here[0], zone("a")), hinted(there[0], zone("b"))],
      ends: [`${here[0]}:8080`, `${there[0]}:8080`],
    },
    {
      name: "do not count where one endpoint has none",
      endpoints: [hinted(here[0], zone("a")), there[0]],
      zone: "a",
      ends: [`${here[0]}:8080`, `${there[0]}:8080`],
    },
    {
      name: "do not count where none is for the zone",
      endpoints: [hinted(here[0], zone("b")), hinted(there[0], zone("c"))],
      zone: "a",
      ends: [`${here[0]}:8080`, `${there[0]}:8080`],
    },
    {
      name: "of endpoints that are not ready do not count",
      endpoints: [hinted(here[0], zone("a"), false), hinted(there[0], zone("b")), hinted(there[1], zone("b"))],
      zone: "a",
      ends: [`${there[0]}:8080`, `${there[1]}:8080`],
    },
    {
      name: "for nodes come before those for zones",
      endpoints: [hinted(here[0], node1("node-1")), hinted(there[0], node1("node-2"))],
      zone: "a",
      ends: [`${here[0]}:8080`],
    },
    {
      name: "for other nodes lead to the zone",
      endpoints: [hinted(there[0], node1("node-2")), hinted(there[1], { ...node1("node-3"), ...zone("b") })],
      zone: "a",
      ends: [`${there[0]}:8080`],
    },
  ];
  for (const { name, endpoints, zone: ofNode, ends: expected } of cases) {
    test(name, () => {
      const plan = createServicePlan(node);
      updateServicePlan(plan, { services: [objects({ endpoints })], zone: { name: ofNode } });
      const results = send(ruleSetOf(plan), { via: "outside", ...clusterIp });
      assert.deepEqual(
        ends(results)
          .map((text) => text.replace(" hidden", ""))
          .toSorted(),
        expected,
      );
    });
  }
});

describe("updateServicePlan()", () => {
  test("changes elements only where an endpoint is replaced", () => {
    const plan = createServicePlan(node);
    updateServicePlan(plan, {
      services: [
        objects({ endpoints: [here[0], there[0]] }),
        objects({ name: "other", spec: { clusterIP: "10.96.0.81" } }),
      ],
    });
    const { transaction, departed } = updateServicePlan(plan, {
      services: [objects({ endpoints: [here[0], there[1]] })],
    });
    assert.ok(isElementsOnly(transaction));
    assert.equal(
      renderTransaction(transaction),
      [
        "delete element ip netloom slots { 2 . 1 : 10.244.2.5 . 8080 }",
        'add element ip netloom slots { 2 . 1 comment "EndpointSlice default/web-x" : 10.244.2.6 . 8080 }',
        "",
      ].join("\n"),
    );
    assert.deepEqual(
      departed.map(({ mark, address }) => `${mark} ${address}`),
      [`2 ${there[0]}`],
    );
  });

  test("does nothing where nothing changed", () => {
    const plan = createServicePlan(node);
    updateServicePlan(plan, { services: [objects({ endpoints: [...here] })] });
    const { transaction, departed } = updateServicePlan(plan, { services: [objects({ endpoints: [...here] })] });
    assert.ok(isEmptyTransaction(transaction));
    assert.deepEqual(departed, []);
  });

  test("leaves nothing of a deleted service", () => {
    const plan = createServicePlan(node);
    const empty = ruleSetOf(createServicePlan(node));
    const whole = objects({
      spec: {
        ...lb,
        sessionAffinity: "ClientIP",
        externalTrafficPolicy: "Local",
        loadBalancerSourceRanges: ["10.0.0.0/8"],
      },
      vips: ["198.51.100.8"],
      endpoints: [...here, ...there],
    });
    updateServicePlan(plan, { services: [whole] });
    updateServicePlan(plan, { services: [{ ...whole, service: undefined, slices: [] }] });
    assert.ok(isEmptyTransaction(diffRuleSets(ruleSetOf(plan), empty)));
    assert.equal(plan.claims.size, 0);
  });

  test("reaches the same rules by steps as at once", () => {
    const plan = createServicePlan(node);
    const last = objects({ spec: { type: "NodePort", sessionAffinity: "ClientIP" }, endpoints: [...there] });
    const many = Array.from({ length: 20 }, (_, index) => `10.244.3.${index + 1}`);
    for (const step of [objects({ endpoints: [...here] }), objects({ endpoints: many }), objects({}), last]) {
      updateServicePlan(plan, { services: [step] });
    }
    const atOnce = createServicePlan(node);
    updateServicePlan(atOnce, { services: [last] });
    const difference = diffRuleSets(ruleSetOf(plan), ruleSetOf(atOnce));
    // Endpoints' ids are given in order and not at once again: the only thing that tells.
    const texts = renderTransaction(difference)
      .split("\n")
      .filter((line) => line !== "" && !line.includes("affinity-"));
    assert.deepEqual(texts, []);
  });

  test("adds a chain for an unusual number of endpoints, and takes it away after the last use", () => {
    const plan = createServicePlan(node);
    const many = Array.from({ length: 100 }, (_, index) => `10.244.3.${index + 1}`);
    const up = updateServicePlan(plan, { services: [objects({ endpoints: many })] });
    assert.deepEqual(
      up.transaction.chains.map(({ kind, chain }) => `${kind} ${chain.name}`),
      ["add-chain n100"],
    );
    const down = updateServicePlan(plan, { services: [objects({ endpoints: [] })] });
    assert.deepEqual(
      down.transaction.chains.map(({ kind, chain }) => `${kind} ${chain.name}`),
      ["delete-chain n100"],
    );
  });

  test("gives an external address that two services claim to the first by name, and to the other when that one leaves", () => {
    const plan = createServicePlan(node);
    const spec = { externalIPs: ["198.51.100.7"] };
    const first = objects({ name: "a", spec: { ...spec, clusterIP: "10.96.0.1" }, endpoints: [here[0]] });
    const second = objects({ name: "b", spec: { ...spec, clusterIP: "10.96.0.2" }, endpoints: [there[0]] });
    const to = { via: "pod", address: "198.51.100.7", port: 80 } as const;
    updateServicePlan(plan, { services: [second, first] });
    assert.deepEqual(ends(send(ruleSetOf(plan), to)), [near]);
    updateServicePlan(plan, { services: [{ ...first, service: undefined }] });
    assert.deepEqual(ends(send(ruleSetOf(plan), to)), [far]);
  });

  test("keeps the ids of service ports that it is told", () => {
    const plan = createServicePlan(node, { knownIds: [["default/web port http", 77]] });
    updateServicePlan(plan, {
      services: [objects({ endpoints: [here[0]] }), objects({ name: "a", spec: { clusterIP: "10.96.0.81" } })],
    });
    assert.equal(plan.portIds.numbers.get("default/web port http"), 77);
    assert.equal(plan.portIds.numbers.get("default/a port http"), 78);
  });

  test("plans the ports of pods on the node", () => {
    const plan = createServicePlan(node);
    const port = {
      hostAddress: undefined,
      protocol: "tcp",
      hostPort: 8081,
      podAddress: parseIpAddress(here[0]),
      containerPort: 80,
      cause: { kind: "Pod", namespace: "default", name: "web" },
    } as const;
    updateServicePlan(plan, { hostPorts: [port] });
    assert.deepEqual(ends(send(ruleSetOf(plan), { via: "outside", address: "192.168.60.11", port: 8081 })), [
      `${here[0]}:80`,
    ]);
    updateServicePlan(plan, { hostPorts: [] });
    assert.deepEqual(ends(send(ruleSetOf(plan), { via: "outside", address: "192.168.60.11", port: 8081 })), [
      "192.168.60.11:8081",
    ]);
  });
});

test("affinity brings a client back to its endpoint", () => {
  const plan = createServicePlan(node);
  updateServicePlan(plan, {
    services: [objects({ spec: { sessionAffinity: "ClientIP" }, endpoints: [here[0], there[0]] })],
  });
  const path = "ip netloom affinity";
  const chosen = send(ruleSetOf(plan), { via: "pod", ...clusterIp });
  for (const { updates, packet } of chosen) {
    const { key = "", value } = updates.find(({ set }) => set === "affinity") ?? {};
    const again = createWalker(ruleSetOf(plan), {
      addressType: () => "unicast",
      masqueradeAddress: () => node.addresses[0] as IpAddress,
      dynamic: new Map([[path, new Map([[key, value ?? 0]])]]),
    }).walkAll({
      packet: {
        family: "ip",
        source: parseIpAddress(sources.pod),
        destination: parseIpAddress("10.96.0.80"),
        protocol: "tcp",
        destinationPort: 80,
      },
      interfaceName: "eth0",
    });
    assert.deepEqual(
      again.map((result) => result.packet.destination),
      [packet.destination],
    );
  }
});
