import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { resources } from "../../src/api/resources.ts";
import type { EndpointSlice, Service, ServicePort, ServiceSpec } from "../../src/api/generated/types.ts";
import { createFakeApiClient } from "../../src/client/index.ts";
import { parseIpAddress } from "../../src/lib/ip/index.ts";
import { createServiceProxy, type ServiceProxy } from "../../src/components/service-proxy/index.ts";
import { openNftables, type Nftables } from "../../src/kernel/nftables/index.ts";
import { systemClock } from "../../src/machinery/clock.ts";
import { settle } from "../../src/machinery/fake-clock.ts";
import { createInformers } from "../../src/machinery/informer/index.ts";
import { silentLogger } from "../../src/machinery/log.ts";
import { inNamespaces } from "./in-namespaces.ts";
import { addresses, createServiceLab, nodeOf, type Host, type ServiceLab } from "./service-lab.ts";
import { patience } from "../patience.ts";

inNamespaces(import.meta.url, (mode) => {
  const client = createFakeApiClient();
  const stop = new AbortController();
  const running: Promise<void>[] = [];
  const proxies: ServiceProxy[] = [];
  const rules: Nftables[] = [];
  let lab: ServiceLab;

  before(async () => {
    lab = createServiceLab();
    const shared = { clock: systemClock, log: silentLogger };
    const informers = createInformers({ source: client, ...shared });
    const services = informers.create({ resource: resources.services });
    const endpointSlices = informers.create({ resource: resources.endpointSlices });
    const serviceCidrs = informers.create({ resource: resources.serviceCidrs });
    const nodes = informers.create({ resource: resources.nodes });
    for (const name of ["node-1", "node-2"] as const) {
      const namespace = lab.namespaces[name];
      const ofNode = openNftables({ namespace, toolsDir: "/nonexistent" });
      const proxy = createServiceProxy({
        node: nodeOf(name),
        namespace,
        rules: ofNode,
        services,
        endpointSlices,
        serviceCidrs,
        nodes,
        ...shared,
      });
      rules.push(ofNode);
      proxies.push(proxy);
      running.push(proxy.run(stop.signal));
    }
    running.push(informers.run(stop.signal));
    await Promise.all(proxies.map((proxy) => proxy.ready));
    for (const host of ["a1", "b1", "a2", "b2", "node-1", "outside"] as const) {
      for (let number = 8080; number < 8085; number += 1) await lab.serve(host, number);
    }
  });

  after(async () => {
    stop.abort();
    await Promise.all(running);
    for (const ofNode of rules) ofNode.close();
    lab.close();
  });

  /** Makes a service of `spec` with the given hosts behind it, in both families, and waits until it is programmed. */
  async function expose(name: string, spec: Partial<ServiceSpec>, endpoints: readonly Host[]): Promise<void> {
    await client.create(resources.services, serviceOf(name, spec));
    for (const [index, family] of ["IPv4", "IPv6"].entries()) {
      await client.create(resources.endpointSlices, sliceOf(name, { family, index, endpoints }));
    }
    await settle();
  }

  async function change(name: string, endpoints: readonly Host[]): Promise<void> {
    for (const [index, family] of ["IPv4", "IPv6"].entries()) {
      const key = { namespace: "default", name: `${name}-${family.toLowerCase()}` };
      const slice = await client.get(resources.endpointSlices, key);
      await client.update(resources.endpointSlices, {
        ...slice,
        endpoints: sliceOf(name, { family, index, endpoints }).endpoints ?? [],
      });
    }
    await settle();
  }

  for (const family of [0, 1] as const) {
    const familyName = family === 0 ? "IPv4" : "IPv6";
    const vip = (number: number): string => (family === 0 ? `10.96.0.${number}` : `fd00:96::${number}`);
    const ips = (number: number): Partial<ServiceSpec> => ({
      clusterIP: `10.96.0.${number}`,
      clusterIPs: [`10.96.0.${number}`, `fd00:96::${number}`],
    });
    const addressOf = (host: Host): string => addresses[host][family];
    const name = (text: string): string => `${text}-${familyName.toLowerCase()}`;
    const base = family * 100;
    const kind = family === 0 ? "ip" : "ip6";

    describe(`services, ${familyName}, ${mode}`, () => {
      test("a ClusterIP answers a pod on the same node, a pod on another node, and the nodes", async () => {
        await expose(name("web"), { ...ips(base + 1), ports: [port(80)] }, ["a1"]);
        assert.deepEqual(await lab.tcp("b1", vip(base + 1), 80), { from: "a1", seen: addressOf("b1") });
        assert.deepEqual(await lab.tcp("a2", vip(base + 1), 80), { from: "a1", seen: addressOf("a2") });
        assert.deepEqual(await lab.tcp("node-1", vip(base + 1), 80), { from: "a1", seen: addressOf("node-1") });
        assert.deepEqual(await lab.tcp("node-2", vip(base + 1), 80), { from: "a1", seen: addressOf("node-2") });
      });

      test("in a range that is added services answer, and what is no service's ends at the node", async () => {
        const address = (number: number): string => (family === 0 ? `10.222.0.${number}` : `fd00:222::${number}`);
        const cidrs = [family === 0 ? "10.222.0.0/24" : "fd00:222::/112"];
        for (const node of ["node-1", "node-2"] as const) {
          assert.doesNotMatch(lab.run(node, "nft", "list", "chain", kind, "netloom", "not-translated"), /222/);
        }
        await client.create(resources.serviceCidrs, { metadata: { name: name("more") }, spec: { cidrs } });
        const ip = { clusterIP: address(1), clusterIPs: [address(1)] };
        await expose(name("far"), { ...ip, ports: [port(80)] }, ["a1"]);
        assert.deepEqual(await lab.tcp("a2", address(1), 80), { from: "a1", seen: addressOf("a2") });
        assert.deepEqual(await lab.tcp("node-1", address(1), 80), { from: "a1", seen: addressOf("node-1") });
        await assert.rejects(lab.tcp("a2", address(2), 80, 300), { name: "TimeoutError" });
        await client.delete(resources.serviceCidrs, { name: name("more") });
        await settle();
        assert.doesNotMatch(lab.run("node-1", "nft", "list", "chain", kind, "netloom", "not-translated"), /222/);
      });

      test("requests are spread over all endpoints", async () => {
        await expose(name("spread"), { ...ips(base + 2), ports: [port(80)] }, ["a1", "b1", "a2", "b2"]);
        const seen = new Set<string>();
        for (let index = 0; index < 60; index += 1) seen.add((await lab.tcp("a1", vip(base + 2), 80)).from);
        assert.deepEqual([...seen].toSorted(), ["a1", "a2", "b1", "b2"]);
      });

      test("a pod that reaches itself through its service sees its node", async () => {
        assert.deepEqual(await lab.tcp("a1", vip(base + 1), 80), { from: "a1", seen: addressOf("node-1") });
      });

      test("a service answers over UDP", async () => {
        await expose(name("dns"), { ...ips(base + 3), ports: [{ ...port(53), protocol: "UDP" }] }, ["a2"]);
        assert.deepEqual(await lab.udp("b1", vip(base + 3), 53), { from: "a2", seen: addressOf("b1") });
      });

      test("a UDP flow older than its NodePort reaches it once it is there", async () => {
        const nodePort = 30_153 + base;
        const flow = { sourcePort: 41_000 + base };
        const send = () => lab.udp("outside", addressOf("node-1"), nodePort, flow);
        await lab.occupy("node-1", nodePort);
        await assert.rejects(send(), { name: "AbortError" });
        const spec = { type: "NodePort", ...ips(base + 30), ports: [{ ...port(53), protocol: "UDP", nodePort }] };
        await expose(name("late"), spec, ["a2"]);
        assert.equal((await send()).from, "a2");
      });

      test("a UDP flow older than its external address reaches it once it is there", async () => {
        const address = family === 0 ? "203.0.113.9" : "fd00:203::9";
        lab.run("lan", "ip", "route", "replace", address, "via", addressOf("node-1"));
        lab.run("node-1", "ip", "route", "replace", address, "via", addressOf("node-2"));
        const flow = { sourcePort: 42_000 + base };
        const send = () => lab.udp("outside", address, 53, flow);
        await assert.rejects(send(), { name: "AbortError" });
        const spec = { ...ips(base + 31), externalIPs: [address], ports: [{ ...port(53), protocol: "UDP" }] };
        await expose(name("late-external"), spec, ["a1"]);
        assert.equal((await send()).from, "a1");
        lab.run("node-1", "ip", "route", "del", address);
      });

      test("an external address answers as the service's own, to the outside and to pods", async () => {
        const address = family === 0 ? "203.0.113.8" : "fd00:203::8";
        const spec = { ...ips(base + 32), externalIPs: [address], ports: [port(80)] };
        await expose(name("external"), spec, ["a1", "a2"]);
        lab.run("lan", "ip", "route", "replace", address, "via", addressOf("node-2"));
        const seen = new Set<string>();
        for (let index = 0; index < 24; index += 1) seen.add((await lab.tcp("outside", address, 80)).from);
        assert.deepEqual([...seen].toSorted(), ["a1", "a2"]);
        assert.match((await lab.tcp("b1", address, 80)).from, /^a/);
        await assert.rejects(lab.tcp("outside", address, 81, 300));
      });

      test("externalTrafficPolicy Local holds for external addresses: the client's own, and only endpoints of the node", async () => {
        const address = family === 0 ? "203.0.113.10" : "fd00:203::10";
        const spec = {
          type: "LoadBalancer",
          externalTrafficPolicy: "Local",
          ...ips(base + 33),
          externalIPs: [address],
          ports: [port(80)],
        };
        await expose(name("external-local"), spec, ["a1"]);
        lab.run("lan", "ip", "route", "replace", address, "via", addressOf("node-1"));
        assert.deepEqual(await lab.tcp("outside", address, 80), { from: "a1", seen: addressOf("outside") });
        lab.run("lan", "ip", "route", "replace", address, "via", addressOf("node-2"));
        await assert.rejects(lab.tcp("outside", address, 80, 300), { name: "TimeoutError" });
      });

      test("internalTrafficPolicy Local is silent on nodes without endpoints, and refuses where there are none at all", async () => {
        const spec = { internalTrafficPolicy: "Local", ...ips(base + 34), ports: [port(80)] };
        await expose(name("internal-only"), spec, ["a1"]);
        assert.equal((await lab.tcp("b1", vip(base + 34), 80)).from, "a1");
        await assert.rejects(lab.tcp("b2", vip(base + 34), 80, 300), { name: "TimeoutError" });
        await change(name("internal-only"), []);
        await assert.rejects(lab.tcp("b2", vip(base + 34), 80), { code: "ECONNREFUSED" });
      });

      test("a host port leads to the pod on its node only, and ends with it", async () => {
        const cause = { kind: "Pod", namespace: "default", name: "a1" };
        const hostPort = 9000 + base;
        const to = (hostAddress: string | undefined) => ({
          hostAddress: hostAddress === undefined ? undefined : parseIpAddress(hostAddress),
          protocol: "tcp" as const,
          hostPort,
          podAddress: parseIpAddress(addressOf("a1")),
          containerPort: 8080,
          cause,
        });
        const [ofNode1] = proxies;
        ofNode1?.setHostPorts([to(undefined)]);
        await settle();
        assert.equal((await lab.tcp("outside", addressOf("node-1"), hostPort)).from, "a1");
        assert.equal((await lab.tcp("b2", addressOf("node-1"), hostPort)).from, "a1");
        assert.equal((await lab.tcp("b1", addressOf("node-1"), hostPort)).from, "a1");
        assert.equal((await lab.tcp("node-1", addressOf("node-1"), hostPort)).from, "a1");
        await assert.rejects(lab.tcp("outside", addressOf("node-2"), hostPort), { code: "ECONNREFUSED" });
        if (family === 0) {
          assert.equal((await lab.tcp("node-1", "127.0.0.1", hostPort)).from, "a1");
          ofNode1?.setHostPorts([to("127.0.0.1")]);
          await settle();
          assert.equal((await lab.tcp("node-1", "127.0.0.1", hostPort)).from, "a1");
          await assert.rejects(lab.tcp("node-1", addressOf("node-1"), hostPort), { code: "ECONNREFUSED" });
          await assert.rejects(lab.tcp("node-1", "127.0.0.1", hostPort + 1), { code: "ECONNREFUSED" });
        }
        ofNode1?.setHostPorts([to(addressOf("node-1"))]);
        await settle();
        assert.equal((await lab.tcp("outside", addressOf("node-1"), hostPort)).from, "a1");
        ofNode1?.setHostPorts([]);
        await settle();
        await assert.rejects(lab.tcp("outside", addressOf("node-1"), hostPort), { code: "ECONNREFUSED" });
      });

      test("traffic stays in the zone that hints name, and follows the node's label", async () => {
        const label = async (node: string, zone: string): Promise<void> => {
          const labels = { "topology.kubernetes.io/zone": zone };
          const known = client.peek(resources.nodes, { name: node });
          if (known === undefined) await client.create(resources.nodes, { metadata: { name: node, labels } });
          else await client.update(resources.nodes, { ...known, metadata: { ...known.metadata, labels } });
        };
        await label("node-1", "east");
        await label("node-2", "west");
        await expose(name("zoned"), { ...ips(base + 35), ports: [port(80)] }, ["a1", "a2"]);
        const key = { namespace: "default", name: `${name("zoned")}-${familyName.toLowerCase()}` };
        const slice = await client.get(resources.endpointSlices, key);
        const endpoints = (slice.endpoints ?? []).map((endpoint) => ({
          ...endpoint,
          hints: { forZones: [{ name: endpoint.nodeName === "node-1" ? "east" : "west" }] },
        }));
        await client.update(resources.endpointSlices, { ...slice, endpoints });
        await settle();
        for (let index = 0; index < 8; index += 1) {
          assert.equal((await lab.tcp("b1", vip(base + 35), 80)).from, "a1");
          assert.equal((await lab.tcp("b2", vip(base + 35), 80)).from, "a2");
        }
        await label("node-1", "west");
        await settle();
        for (let index = 0; index < 8; index += 1) assert.equal((await lab.tcp("b1", vip(base + 35), 80)).from, "a2");
      });

      test("a UDP flow moves on when its endpoint leaves", async () => {
        const flow = { sourcePort: 40_000 + base };
        assert.equal((await lab.udp("a1", vip(base + 3), 53, flow)).from, "a2");
        await change(name("dns"), ["b1"]);
        assert.equal((await lab.udp("a1", vip(base + 3), 53, flow)).from, "b1");
      });

      test("an endpoint in the host's network is reached", async () => {
        await expose(name("host"), { ...ips(base + 4), ports: [port(80)] }, ["node-1"]);
        assert.equal((await lab.tcp("a1", vip(base + 4), 80)).from, "node-1");
        assert.equal((await lab.tcp("a2", vip(base + 4), 80)).from, "node-1");
        assert.equal((await lab.tcp("node-1", vip(base + 4), 80)).from, "node-1");
      });

      test("a service without endpoints refuses at once", async () => {
        await expose(name("empty"), { ...ips(base + 5), ports: [port(80)] }, []);
        for (const from of ["a1", "node-1"] as const) {
          const started = performance.now();
          await assert.rejects(lab.tcp(from, vip(base + 5), 80), { code: "ECONNREFUSED" });
          assert.ok(performance.now() - started < 500);
        }
      });

      test("a port that the service does not have is refused", async () => {
        await assert.rejects(lab.tcp("a1", vip(base + 1), 81), { code: "ECONNREFUSED" });
      });

      test("an address of no service does not answer", async () => {
        await assert.rejects(lab.tcp("a1", vip(base + 77), 80, 300), { name: "TimeoutError" });
      });

      test("a NodePort answers at every node, to the outside, to pods and to the node itself", async () => {
        const nodePort = 30_080 + base;
        await expose(name("np"), { type: "NodePort", ...ips(base + 6), ports: [{ ...port(80), nodePort }] }, ["a1"]);
        assert.deepEqual(await lab.tcp("outside", addressOf("node-1"), nodePort), {
          from: "a1",
          seen: addressOf("node-1"),
        });
        assert.deepEqual(await lab.tcp("outside", addressOf("node-2"), nodePort), {
          from: "a1",
          seen: addressOf("node-2"),
        });
        assert.equal((await lab.tcp("b2", addressOf("node-2"), nodePort)).from, "a1");
        assert.equal((await lab.tcp("node-2", addressOf("node-2"), nodePort)).from, "a1");
        assert.equal((await lab.tcp("node-1", addressOf("node-2"), nodePort)).from, "a1");
      });

      test("a NodePort does not answer on the node's loopback address", async () => {
        await assert.rejects(lab.tcp("node-1", family === 0 ? "127.0.0.1" : "::1", 30_080 + base), {
          code: "ECONNREFUSED",
        });
      });

      test("externalTrafficPolicy Local keeps the client's address, and stays silent on nodes without endpoints", async () => {
        const nodePort = 31_080 + base;
        const spec = {
          type: "NodePort",
          externalTrafficPolicy: "Local",
          ...ips(base + 7),
          ports: [{ ...port(80), nodePort }],
        };
        await expose(name("local"), spec, ["a1"]);
        assert.deepEqual(await lab.tcp("outside", addressOf("node-1"), nodePort), {
          from: "a1",
          seen: addressOf("outside"),
        });
        await assert.rejects(lab.tcp("outside", addressOf("node-2"), nodePort, 300), { name: "TimeoutError" });
        assert.equal((await lab.tcp("a2", vip(base + 7), 80)).from, "a1");
        assert.equal((await lab.tcp("a2", addressOf("node-2"), nodePort)).from, "a1");
        assert.equal((await lab.tcp("node-2", addressOf("node-2"), nodePort)).from, "a1");
      });

      test("a load balancer's health check finds out which nodes have endpoints", async () => {
        const healthCheckNodePort = 31_580 + base;
        const spec = { type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort };
        await expose(name("checked"), { ...spec, ...ips(base + 20), ports: [port(80)] }, ["a1", "b1"]);
        const body = (localEndpoints: number) => ({
          service: { namespace: "default", name: name("checked") },
          localEndpoints,
          serviceProxyHealthy: true,
        });
        const get = (node: Host) => lab.http("outside", addressOf(node), healthCheckNodePort);
        assert.deepEqual(await get("node-1"), { status: 200, body: body(2) });
        assert.deepEqual(await get("node-2"), { status: 503, body: body(0) });
        await change(name("checked"), ["a2"]);
        assert.deepEqual(await get("node-1"), { status: 503, body: body(0) });
        assert.deepEqual(await get("node-2"), { status: 200, body: body(1) });
        await client.delete(resources.services, { namespace: "default", name: name("checked") });
        await settle();
        await assert.rejects(get("node-2"), { code: "ECONNREFUSED" });
      });

      test("internalTrafficPolicy Local stays on the node", async () => {
        await expose(name("internal"), { internalTrafficPolicy: "Local", ...ips(base + 8), ports: [port(80)] }, [
          "a1",
          "a2",
        ]);
        for (let index = 0; index < 8; index += 1) {
          assert.equal((await lab.tcp("b1", vip(base + 8), 80)).from, "a1");
          assert.equal((await lab.tcp("b2", vip(base + 8), 80)).from, "a2");
        }
      });

      test("client affinity holds on to one endpoint, and moves on when it leaves", async () => {
        const spec = { sessionAffinity: "ClientIP", ...ips(base + 9), ports: [port(80)] };
        await expose(name("sticky"), spec, ["a1", "b1", "a2", "b2"]);
        const { from } = await lab.tcp("b1", vip(base + 9), 80);
        for (let index = 0; index < 12; index += 1) assert.equal((await lab.tcp("b1", vip(base + 9), 80)).from, from);
        const others = (["a1", "b1", "a2", "b2"] as const).filter((host) => host !== from);
        await change(name("sticky"), others);
        const next = (await lab.tcp("b1", vip(base + 9), 80)).from;
        assert.notEqual(next, from);
        for (let index = 0; index < 12; index += 1) assert.equal((await lab.tcp("b1", vip(base + 9), 80)).from, next);
      });

      test("a load balancer's address takes only the source ranges of the service", async () => {
        const address = family === 0 ? "203.0.113.7" : "fd00:203::7";
        const ranges = [`${addressOf("outside")}/${family === 0 ? 32 : 128}`];
        const spec = { type: "LoadBalancer", ...ips(base + 10), ports: [port(80)], loadBalancerSourceRanges: ranges };
        await expose(name("lb"), spec, ["a1", "a2"]);
        const key = { namespace: "default", name: name("lb") };
        const service = await client.get(resources.services, key);
        const status = { loadBalancer: { ingress: [{ ip: address }] } };
        await client.update(resources.services, { ...service, status }, { subresource: "status" });
        await settle();
        lab.run("lan", "ip", "route", "replace", address, "via", addressOf("node-1"));
        assert.match((await lab.tcp("outside", address, 80)).from, /^a/);
        await assert.rejects(lab.tcp("lan", address, 80, 300), { name: "TimeoutError" });
      });

      test("pods keep their address within the cluster and take their node's beyond it", async () => {
        assert.equal((await lab.tcp("a1", addressOf("a2"), 8080)).seen, addressOf("a1"));
        assert.equal((await lab.tcp("a2", addressOf("node-1"), 8080)).seen, addressOf("a2"));
        assert.equal((await lab.tcp("a1", addressOf("outside"), 8080)).seen, addressOf("node-1"));
        assert.equal((await lab.udp("a2", addressOf("outside"), 8080)).seen, addressOf("node-2"));
      });

      test("a pod cannot send under an address that is not its own", async () => {
        const prefix = family === 0 ? 32 : 128;
        const flags = family === 0 ? [] : ["nodad"];
        lab.run("b2", "ip", "addr", "add", `${addressOf("a1")}/${prefix}`, "dev", "eth0", ...flags);
        const spoofed = lab.run("b2", "sh", "-c", `ping -c1 -W1 -I ${addressOf("a1")} ${addressOf("a2")} || true`);
        lab.run("b2", "ip", "addr", "del", `${addressOf("a1")}/${prefix}`, "dev", "eth0");
        assert.match(spoofed, /100% packet loss/);
        assert.match(lab.run("b2", "ping", "-c1", "-W1", addressOf("a2")), / 0% packet loss/);
      });

      test("no connection fails while endpoints come and go", async () => {
        await expose(name("churn"), { ...ips(base + 11), ports: [port(80)] }, ["a1", "b1"]);
        const sets: readonly (readonly Host[])[] = [["a1", "b1", "a2", "b2"], ["a2"], ["b1", "b2"], ["a1", "b1", "a2"]];
        const churn = { isDone: false };
        let requests = 0;
        const load = async (): Promise<void> => {
          while (!churn.isDone) {
            await lab.tcp("b2", vip(base + 11), 80);
            requests += 1;
          }
        };
        const loads = [load(), load(), load(), load()];
        for (let round = 0; round < 200; round += 1) await change(name("churn"), sets[round % sets.length] ?? []);
        churn.isDone = true;
        await Promise.all(loads);
        assert.ok(requests > 100, `only ${requests} requests were made meanwhile`);
      });

      test("a service with an unusual number of endpoints gets chains of its own, and leaves none behind", async () => {
        const chains = (): string =>
          lab.run("node-2", "nft", "-t", "list", "table", family === 0 ? "ip" : "ip6", "netloom");
        assert.doesNotMatch(chains(), /chain [np]20 /);
        const pods = ["a1", "b1", "a2", "b2"] as const;
        for (const [number, spec] of [{}, { sessionAffinity: "ClientIP" }].entries()) {
          const service = name(`wide${number}`);
          await client.create(
            resources.services,
            serviceOf(service, { ...ips(base + 12 + number), ...spec, ports: [port(80)] }),
          );
          for (let part = 0; part < 5; part += 1) {
            const slice = sliceOf(service, { family: familyName, index: family, endpoints: pods });
            await client.create(resources.endpointSlices, {
              ...slice,
              metadata: { ...slice.metadata, name: `${service}-${part}` },
              ports: [{ name: "main", port: 8080 + part }],
            });
          }
        }
        await settle();
        assert.match(chains(), /chain n20 \{\s+meta mark set numgen random mod 20\s+goto to-slot\s+\}/);
        assert.match(
          chains(),
          /chain p20 \{\s+meta mark set numgen random mod 20\s+meta mark set ct mark \. meta mark map @affinity-slots\s+\}/,
        );
        const seen = new Set<string>();
        for (let index = 0; index < 60; index += 1) seen.add((await lab.tcp("b2", vip(base + 12), 80)).from);
        assert.deepEqual([...seen].toSorted(), pods.toSorted());
        const { from } = await lab.tcp("b2", vip(base + 13), 80);
        for (let index = 0; index < 8; index += 1) assert.equal((await lab.tcp("b2", vip(base + 13), 80)).from, from);
        for (const number of [0, 1]) {
          await client.delete(resources.services, { namespace: "default", name: name(`wide${number}`) });
        }
        await settle();
        assert.doesNotMatch(chains(), /chain [np]20 /);
      });

      test("rules that are deleted by hand come back", async () => {
        lab.run("node-2", "nft", "delete", "table", family === 0 ? "ip" : "ip6", "netloom");
        const deadline = Date.now() + 5000 * patience;
        for (let isBack = false; !isBack;) {
          isBack = await lab.tcp("a2", vip(base + 1), 80, 300).then(
            () => true,
            () => false,
          );
          assert.ok(isBack || Date.now() < deadline, "the rules did not come back within five seconds");
        }
      });

      test("what is added by hand goes, and what clients stick to stays", async () => {
        const table = family === 0 ? "ip" : "ip6";
        const list = (set: string): string => lab.run("node-1", "nft", "list", "map", table, "netloom", set);
        const { from } = await lab.tcp("b1", vip(base + 9), 80);
        lab.run("node-1", "nft", "add", "element", table, "netloom", "nodeports", "{ tcp . 32000 : 7 }");
        assert.match(list("nodeports"), /32000/);
        const deadline = Date.now() + 5000 * patience;
        while (list("nodeports").includes("32000")) {
          assert.ok(Date.now() < deadline, "the element is still there after five seconds");
          await systemClock.sleep(100);
        }
        for (let index = 0; index < 8; index += 1) assert.equal((await lab.tcp("b1", vip(base + 9), 80)).from, from);
      });

      test("a deleted service no longer answers", async () => {
        await client.delete(resources.services, { namespace: "default", name: name("web") });
        await settle();
        await assert.rejects(lab.tcp("b1", vip(base + 1), 80, 300), { name: "TimeoutError" });
      });

      test("the counters of packets to services that are gone do not pile up", async () => {
        const counters = (): readonly string[] => {
          const table = family === 0 ? "ip" : "ip6";
          return lab.run("node-1", "nft", "list", "set", table, "netloom", "hits").match(/0x[0-9a-f]+ counter/g) ?? [];
        };
        await expose(name("kept"), { ...ips(base + 60), ports: [port(80)] }, ["b1"]);
        await lab.tcp("a1", vip(base + 60), 80);
        const first = counters();
        for (let round = 0; round < 130; round += 1) {
          await expose(name("brief"), { ...ips(base + 61), ports: [port(80)] }, ["b1"]);
          await lab.tcp("a1", vip(base + 61), 80);
          for (const suffix of ["ipv4", "ipv6"]) {
            const slice = { namespace: "default", name: `${name("brief")}-${suffix}` };
            await client.delete(resources.endpointSlices, slice);
          }
          await client.delete(resources.services, { namespace: "default", name: name("brief") });
          await settle();
        }
        const last = counters();
        // Those since the last look, and one more that was there and is gone with it.
        assert.ok(last.length < first.length + 10, `${last.length} counters, ${first.length} before`);
        assert.ok(last.length > 0, "the counters of services that are there stay");
      });
    });
  }
});

function port(number: number): ServicePort {
  return { name: "main", port: number, protocol: "TCP" };
}

function serviceOf(name: string, spec: Partial<ServiceSpec>): Service {
  return { metadata: { namespace: "default", name }, spec: { type: "ClusterIP", ...spec } };
}

function sliceOf(
  service: string,
  options: { readonly family: string; readonly index: number; readonly endpoints: readonly Host[] },
): EndpointSlice {
  const { family, index, endpoints } = options;
  return {
    metadata: {
      namespace: "default",
      name: `${service}-${family.toLowerCase()}`,
      labels: { "kubernetes.io/service-name": service },
    },
    addressType: family,
    ports: [{ name: "main", port: 8080 }],
    endpoints: endpoints.map((host) => ({
      addresses: [addresses[host][index] ?? ""],
      nodeName: host.endsWith("1") ? "node-1" : "node-2",
      conditions: { ready: true, serving: true, terminating: false },
    })),
  };
}
