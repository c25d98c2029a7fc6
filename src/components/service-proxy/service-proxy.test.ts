import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { resources } from "../../api/resources.ts";
import type { Service } from "../../api/generated/types.ts";
import { createFakeApiClient } from "../../client/index.ts";
import type { Conntrack } from "../../kernel/conntrack/index.ts";
import { createFakeNftables, NftablesError, type FakeNftables } from "../../kernel/nftables/index.ts";
import { parseCidr, parseIpAddress } from "../../lib/ip/index.ts";
import { FakeClock, settle } from "../../machinery/fake-clock.ts";
import { createInformers } from "../../machinery/informer/index.ts";
import { silentLogger } from "../../machinery/log.ts";
import { createMetricsRegistry } from "../../machinery/metrics/index.ts";
import { emptyTransaction } from "../../model/rules/index.ts";
import { localBit } from "../../model/services/index.ts";
import { createServiceProxy } from "./index.ts";

const node = {
  name: "node-1",
  addresses: [parseIpAddress("192.168.60.11")],
  podCidrs: [parseCidr("10.244.1.0/24")],
  clusterCidrs: [parseCidr("10.244.0.0/16")],
  serviceCidrs: [parseCidr("10.96.0.0/12")],
  podInterfacePrefix: "v",
};
const noConnections: Conntrack = { count: () => 0, list: () => [], delete: () => undefined, close: () => undefined };

async function start(rules: FakeNftables = createFakeNftables(), connections: Conntrack = noConnections) {
  const client = createFakeApiClient();
  const clock = new FakeClock();
  const shared = { clock, log: silentLogger };
  const metrics = createMetricsRegistry();
  const informers = createInformers({ source: client, ...shared });
  const proxy = createServiceProxy({
    node,
    namespace: { path: "", run: (work) => work(), close: () => undefined },
    rules,
    services: informers.create({ resource: resources.services }),
    endpointSlices: informers.create({ resource: resources.endpointSlices }),
    openConntrack: () => connections,
    setSysctl: () => undefined,
    metrics,
    ...shared,
  });
  const stop = new AbortController();
  const running = Promise.all([informers.run(stop.signal), proxy.run(stop.signal)]);
  await settle();
  return {
    client,
    clock,
    rules,
    proxy,
    metrics,
    stop: async () => {
      stop.abort();
      await running;
    },
  };
}

function flowTo(address: string, mark: number): ReturnType<Conntrack["list"]>[number] {
  const client = parseIpAddress("10.244.1.9");
  const ports = { protocol: 17, sourcePort: 53, destinationPort: 53 };
  return {
    original: { source: client, destination: parseIpAddress("10.96.0.80"), ...ports },
    reply: { source: parseIpAddress(address), destination: client, ...ports },
    mark,
    timeoutSeconds: 30,
    id: 1,
  };
}

function web(name = "web", clusterIP = "10.96.0.80"): Service {
  return {
    metadata: { namespace: "default", name },
    spec: { clusterIP, ports: [{ name: "http", port: 80, protocol: "TCP" }] },
  };
}

function frontends(rules: FakeNftables): readonly string[] {
  return rules
    .readElements("ip", "netloom", { name: "frontends", key: ["address", "protocol", "port"], data: ["mark"] })
    .map(({ key, data }) => `${key.join(":")} ${JSON.stringify(data)}`);
}

describe("the service proxy", () => {
  test("is ready once the node's rules are in place", async () => {
    const { proxy, rules, stop } = await start();
    await proxy.ready;
    assert.deepEqual(
      rules.calls.map(({ kind }) => kind),
      ["sync"],
    );
    await stop();
  });

  test("puts changes that come together into one transaction", async () => {
    const { client, rules, stop } = await start();
    await Promise.all([
      client.create(resources.services, web()),
      client.create(resources.services, web("api", "10.96.0.81")),
    ]);
    await settle();
    assert.deepEqual(
      rules.calls.map(({ kind }) => kind),
      ["sync", "apply"],
    );
    assert.equal(frontends(rules).length, 2);
    await stop();
  });

  test("tries again when the kernel refuses, with everything anew", async () => {
    const { client, rules, clock, metrics, stop } = await start();
    rules.failOnce(new NftablesError("apply rules", "no", "EINTR"));
    await client.create(resources.services, web());
    await settle();
    assert.equal(frontends(rules).length, 0);
    await clock.advance(1000);
    assert.equal(frontends(rules).length, 1);
    assert.equal(rules.calls.at(-1)?.kind, "sync");
    assert.match(await metrics.metrics(), /kubeproxy_sync_proxy_rules_nftables_sync_failures_total\{node="node-1"\} 1/);
    await stop();
  });

  test("cuts the UDP flows to an endpoint that left with a transaction that failed, once the rules are there", async () => {
    const cut: string[] = [];
    const rules = createFakeNftables();
    const { client, clock, stop } = await start(rules, {
      count: () => 1,
      list: ({ mark } = {}) => (mark === undefined || mark === 0 ? [] : [flowTo("10.244.1.5", mark)]),
      delete: ({ reply }) => void cut.push(reply.source),
      close: () => undefined,
    });
    const labels = { "kubernetes.io/service-name": "dns" };
    const slice = {
      metadata: { namespace: "default", name: "dns-1", labels },
      addressType: "IPv4",
      ports: [{ name: "dns", port: 53, protocol: "UDP" }],
      endpoints: [{ addresses: ["10.244.1.5"] }],
    };
    const service = {
      ...web("dns"),
      spec: { clusterIP: "10.96.0.80", ports: [{ name: "dns", port: 53, protocol: "UDP" }] },
    };
    await client.create(resources.services, service);
    await client.create(resources.endpointSlices, slice);
    await settle();
    rules.failOnce(new NftablesError("apply rules", "no", "EINTR"));
    const { metadata } = await client.get(resources.endpointSlices, { namespace: "default", name: "dns-1" });
    await client.update(resources.endpointSlices, { ...slice, ...(metadata && { metadata }), endpoints: [] });
    await settle();
    assert.deepEqual(cut, []);
    await clock.advance(1000);
    assert.deepEqual(cut, ["10.244.1.5"]);
    await stop();
  });

  test("puts back what somebody else changed", async () => {
    const { client, rules, clock, stop } = await start();
    await client.create(resources.services, web());
    await settle();
    const before = frontends(rules);
    const place = { family: "ip", table: "netloom", set: "frontends", cause: { kind: "Hand", name: "made" } } as const;
    rules.interfere({
      ...emptyTransaction,
      addedElements: [{ ...place, key: ["10.96.0.99", "tcp", 80], data: { values: [9] } }],
      removedElements: [{ ...place, key: ["10.96.0.80", "tcp", 80] }],
    });
    await clock.advance(2500);
    assert.deepEqual(frontends(rules), before);
    await stop();
  });

  test("removes the counters of services that are gone, after many deletions and at its start", async () => {
    const hits = { name: "hits", key: ["mark"], flags: ["dynamic"] } as const;
    const marks = (rules: FakeNftables) => rules.readElements("ip", "netloom", hits).map(({ key: [mark] }) => mark);
    const countedBy = (mark: number) => ({
      family: "ip" as const,
      table: "netloom",
      set: "hits",
      key: [mark],
      cause: { kind: "Packet", name: "to a service" },
    });
    const { client, rules, stop } = await start();
    const names = Array.from({ length: 140 }, (_, index) => `s${index}`);
    for (const [index, name] of names.entries()) {
      await client.create(resources.services, web(name, `10.96.1.${index}`));
      await settle();
    }
    const ids = rules
      .readElements("ip", "netloom", { name: "frontends", key: ["address", "protocol", "port"], data: ["mark"] })
      .flatMap(({ data }) => (data !== undefined && "values" in data ? data.values.map(Number) : []));
    assert.equal(ids.length, 140);
    const localId = (ids[139] ?? 0) | localBit;
    rules.interfere({ ...emptyTransaction, addedElements: [...ids, localId].map(countedBy) });
    for (const name of names.slice(0, 130)) await client.delete(resources.services, { namespace: "default", name });
    await settle();
    assert.deepEqual(new Set(marks(rules)), new Set([...ids.slice(130), localId]));
    await stop();
    rules.interfere({ ...emptyTransaction, addedElements: [countedBy(4_000_000)] });
    const second = await start(rules);
    assert.deepEqual(marks(rules), [], "the second proxy knows no services");
    await second.stop();
  });

  test("keeps its rules when it stops, finds them again, and removes them when it is switched off", async () => {
    const first = await start();
    await first.client.create(resources.services, web("old", "10.96.0.70"));
    await first.client.create(resources.services, web());
    await settle();
    const before = frontends(first.rules);
    await first.stop();
    assert.deepEqual(frontends(first.rules), before);
    const second = await start(first.rules);
    await second.client.create(resources.services, web());
    await settle();
    assert.deepEqual(
      frontends(first.rules),
      before.filter((text) => text.includes("10.96.0.80")),
    );
    await second.stop();
    second.proxy.cleanUp();
    assert.deepEqual(frontends(first.rules), []);
  });
});
