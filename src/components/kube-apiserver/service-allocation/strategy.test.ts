import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "../../../api/generated/types.ts";
import { ApiError } from "../../../api/status.ts";
import type { PerFamily } from "../../../model/cluster-config.ts";
import { createMemoryStore } from "../../../storage/index.ts";
import type { ObjectStore } from "../../../storage/index.ts";
import { createServiceStrategy } from "./strategy.ts";

interface Fixture {
  readonly store: ObjectStore;
  /** Prepares and stores, as the server does. */
  readonly write: (service: Service) => Promise<Service>;
}

function fixture(options: { serviceCidrs?: PerFamily; nodePortRange?: { first: number; last: number } } = {}): Fixture {
  const store = createMemoryStore();
  const { serviceCidrs = ["10.96.0.0/12"], nodePortRange = { first: 30_000, last: 32_767 } } = options;
  const strategy = createServiceStrategy({ store, serviceCidrs, nodePortRange });
  return {
    store,
    write: async (wanted) => {
      const key = { resource: "services", namespace: "default", name: wanted.metadata?.name ?? "" };
      const stored = store.latest(key);
      const old = stored === undefined ? {} : { old: stored.object };
      const prepared = strategy.prepare?.(wanted, { ...old, isDryRun: false });
      assert.ok(prepared);
      const written =
        stored === undefined
          ? await store.create(key, prepared.object)
          : await store.update(key, prepared.object, stored.revision);
      prepared.reservation?.release();
      return written.object;
    },
  };
}

function service(name: string, spec: Service["spec"]): Service {
  return { metadata: { name, namespace: "default" }, spec: { type: "ClusterIP", ports: [{ port: 80 }], ...spec } };
}

const says = (message: string) => (error: unknown) => error instanceof ApiError && error.message === message;

test("a Service gets an address of the upper part of the range, families and all", async () => {
  const { write } = fixture();
  const { spec } = await write(service("a", {}));
  assert.match(spec?.clusterIP ?? "", /^10\.(9[6-9]|10\d|11[01])\./);
  assert.deepEqual(spec?.clusterIPs, [spec?.clusterIP]);
  assert.deepEqual([spec?.ipFamilies, spec?.ipFamilyPolicy], [["IPv4"], "SingleStack"]);
});

test("a wanted address is given once, and again when its Service is gone", async () => {
  const { write, store } = fixture();
  await write(service("a", { clusterIP: "10.96.0.10", clusterIPs: ["10.96.0.10"] }));
  const again = service("b", { clusterIP: "10.96.0.10", clusterIPs: ["10.96.0.10"] });
  await assert.rejects(
    write(again),
    says(
      'Service "b" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated',
    ),
  );
  await store.delete({ resource: "services", namespace: "default", name: "a" }, 1);
  assert.equal((await write(again)).spec?.clusterIP, "10.96.0.10");
});

test("an address outside of the range is refused", async () => {
  const outside = service("a", { clusterIP: "1.2.3.4", clusterIPs: ["1.2.3.4"] });
  await assert.rejects(fixture().write(outside), /the provided network does not match the current range/);
});

test("all addresses of a small range are given out, then the range is full", async () => {
  const { write } = fixture({ serviceCidrs: ["10.0.0.0/29"] });
  const given = new Set<string>();
  for (const name of ["a", "b", "c", "d", "e", "f"]) given.add((await write(service(name, {}))).spec?.clusterIP ?? "");
  assert.equal(given.size, 6);
  await assert.rejects(write(service("g", {})), /failed to allocate a serviceIP: range is full/);
});

test("headless and external Services hold no address", async () => {
  const { write } = fixture();
  assert.deepEqual((await write(service("a", { clusterIP: "None", clusterIPs: ["None"] }))).spec?.clusterIPs, ["None"]);
  const external = await write(service("b", { type: "ExternalName", externalName: "example.com" }));
  assert.equal(external.spec?.clusterIP, undefined);
});

test("node ports: upstream's words for a taken one and one outside of the range", async () => {
  const { write } = fixture();
  await write(service("a", { type: "NodePort", ports: [{ port: 80, nodePort: 30_080 }] }));
  await assert.rejects(
    write(service("b", { type: "NodePort", ports: [{ port: 80, nodePort: 30_080 }] })),
    says('Service "b" is invalid: spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated'),
  );
  await assert.rejects(
    write(service("c", { type: "NodePort", ports: [{ port: 80, nodePort: 80 }] })),
    says(
      'Service "c" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767',
    ),
  );
});

test("a refused Service leaves nothing taken", async () => {
  const { write } = fixture({ nodePortRange: { first: 30_000, last: 30_001 } });
  const ports = [
    { port: 80, nodePort: 30_000 },
    { port: 81, nodePort: 1 },
  ];
  await assert.rejects(write(service("a", { type: "NodePort", ports })), ApiError);
  const { spec } = await write(service("b", { type: "NodePort", ports: [{ port: 80 }, { port: 81 }] }));
  assert.deepEqual(spec?.ports?.map(({ nodePort }) => nodePort).toSorted(), [30_000, 30_001]);
});

test("TCP and UDP of one port share a node port", async () => {
  const ports = [
    { port: 53, protocol: "TCP" },
    { port: 53, protocol: "UDP" },
  ];
  const { spec } = await fixture().write(service("dns", { type: "NodePort", ports }));
  assert.equal(spec?.ports?.[0]?.nodePort, spec?.ports?.[1]?.nodePort);
});

test("an update keeps what the Service has and gives back what it drops", async () => {
  const { write } = fixture({ nodePortRange: { first: 30_000, last: 30_000 } });
  const first = await write(service("a", { type: "NodePort", ports: [{ port: 80 }] }));
  assert.equal((await write(first)).spec?.ports?.[0]?.nodePort, 30_000);
  await write({ ...first, spec: { ...first.spec, type: "ClusterIP", ports: [{ port: 80 }] } });
  const second = await write(service("b", { type: "NodePort", ports: [{ port: 80 }] }));
  assert.equal(second.spec?.ports?.[0]?.nodePort, 30_000);
});

test("a local load balancer gets a port for its health checks", async () => {
  const spec = { type: "LoadBalancer", externalTrafficPolicy: "Local", ports: [{ port: 80 }] };
  const { spec: given } = await fixture().write(service("lb", spec));
  assert.ok((given?.healthCheckNodePort ?? 0) >= 30_000);
  assert.notEqual(given?.healthCheckNodePort, given?.ports?.[0]?.nodePort);
});

test("a cluster of one family refuses the other", async () => {
  const wanted = service("a", { ipFamilyPolicy: "RequireDualStack" });
  await assert.rejects(fixture().write(wanted), /this cluster is not configured for dual-stack services/);
  await assert.rejects(fixture().write(service("a", { ipFamilies: ["IPv6"] })), /not configured on this cluster/);
});

test("a dual-stack Service gets an address of each family's range, and gives the second back", async () => {
  const { write } = fixture({ serviceCidrs: ["10.96.0.0/12", "fd00:10:96::/124"] });
  const given = new Set<string>();
  // Fifteen addresses: the network's own is no Service's, and IPv6 has no broadcast address.
  for (let index = 1; index <= 15; index += 1) {
    const { spec } = await write(service(`s${index}`, { ipFamilyPolicy: "RequireDualStack" }));
    const [first = "", second = ""] = spec?.clusterIPs ?? [];
    assert.equal(spec?.clusterIP, first);
    assert.match(first, /^10\./);
    assert.match(second, /^fd00:10:96::[0-9a-f]$/);
    given.add(second);
  }
  assert.equal(given.size, 15);
  const wish = service("late", { ipFamilyPolicy: "PreferDualStack" });
  await assert.rejects(write(wish), /failed to allocate a serviceIP: range is full/);
  const single = await write(service("s1", { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"] }));
  assert.equal(single.spec?.clusterIPs?.length, 1);
  assert.equal((await write(wish)).spec?.clusterIPs?.length, 2);
});
