import assert from "node:assert/strict";
import { test } from "node:test";
import type { IPAddress, Service, ServiceCIDR } from "../../../api/generated/types.ts";
import { ApiError } from "../../../api/status.ts";
import type { PerFamily } from "../../../model/cluster-config.ts";
import { createMemoryStore } from "../../../storage/index.ts";
import type { ObjectStore } from "../../../storage/index.ts";
import { parseIpAddress } from "../../../lib/ip/index.ts";
import { addIpAddress, withServiceAddresses } from "./addressed-store.ts";
import { createAllocations } from "./allocations.ts";
import { repairAddresses } from "./repair.ts";
import { createServiceStrategy } from "./strategy.ts";

interface Fixture {
  readonly store: ObjectStore;
  /** Prepares and stores, as the server does. */
  readonly write: (service: Service) => Promise<Service>;
}

async function fixture(
  options: { serviceCidrs?: PerFamily; nodePortRange?: { first: number; last: number } } = {},
): Promise<Fixture> {
  const store = withServiceAddresses(createMemoryStore(), { now: () => 0 });
  const { serviceCidrs = ["10.96.0.0/12"], nodePortRange = { first: 30_000, last: 32_767 } } = options;
  await store.create(cidrKey("kubernetes"), serviceCidr("kubernetes", serviceCidrs));
  const allocations = createAllocations({ store, nodePortRange });
  const strategy = createServiceStrategy({ allocations, serviceCidrs, nodePortRange });
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

const cidrKey = (name: string) => ({ resource: "servicecidrs.networking.k8s.io", namespace: "", name });
const serviceCidr = (name: string, cidrs: readonly string[]): ServiceCIDR => ({ metadata: { name }, spec: { cidrs } });

function service(name: string, spec: Service["spec"]): Service {
  return { metadata: { name, namespace: "default" }, spec: { type: "ClusterIP", ports: [{ port: 80 }], ...spec } };
}

const says = (message: string) => (error: unknown) => error instanceof ApiError && error.message === message;

test("a Service gets an address of the upper part of the range, families and all", async () => {
  const { write } = await fixture();
  const { spec } = await write(service("a", {}));
  assert.match(spec?.clusterIP ?? "", /^10\.(9[6-9]|10\d|11[01])\./);
  assert.deepEqual(spec?.clusterIPs, [spec?.clusterIP]);
  assert.deepEqual([spec?.ipFamilies, spec?.ipFamilyPolicy], [["IPv4"], "SingleStack"]);
});

test("a wanted address is given once, and again when its Service is gone", async () => {
  const { write, store } = await fixture();
  await write(service("a", { clusterIP: "10.96.0.10", clusterIPs: ["10.96.0.10"] }));
  const again = service("b", { clusterIP: "10.96.0.10", clusterIPs: ["10.96.0.10"] });
  await assert.rejects(
    write(again),
    says(
      'Service "b" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated',
    ),
  );
  const key = { resource: "services", namespace: "default", name: "a" };
  await store.delete(key, store.get(key)?.revision ?? 0);
  assert.equal((await write(again)).spec?.clusterIP, "10.96.0.10");
});

test("an address outside of the range is refused", async () => {
  const outside = service("a", { clusterIP: "1.2.3.4", clusterIPs: ["1.2.3.4"] });
  await assert.rejects((await fixture()).write(outside), /the provided network does not match the current range/);
});

test("all addresses of a small range are given out, then the range is full", async () => {
  const { write } = await fixture({ serviceCidrs: ["10.0.0.0/29"] });
  const given = new Set<string>();
  for (const name of ["a", "b", "c", "d", "e", "f"]) given.add((await write(service(name, {}))).spec?.clusterIP ?? "");
  assert.equal(given.size, 6);
  await assert.rejects(write(service("g", {})), /failed to allocate a serviceIP: range is full/);
});

test("headless and external Services hold no address", async () => {
  const { write } = await fixture();
  assert.deepEqual((await write(service("a", { clusterIP: "None", clusterIPs: ["None"] }))).spec?.clusterIPs, ["None"]);
  const external = await write(service("b", { type: "ExternalName", externalName: "example.com" }));
  assert.equal(external.spec?.clusterIP, undefined);
});

test("node ports: upstream's words for a taken one and one outside of the range", async () => {
  const { write } = await fixture();
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
  const { write } = await fixture({ nodePortRange: { first: 30_000, last: 30_001 } });
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
  const { spec } = await (await fixture()).write(service("dns", { type: "NodePort", ports }));
  assert.equal(spec?.ports?.[0]?.nodePort, spec?.ports?.[1]?.nodePort);
});

test("an update keeps what the Service has and gives back what it drops", async () => {
  const { write } = await fixture({ nodePortRange: { first: 30_000, last: 30_000 } });
  const first = await write(service("a", { type: "NodePort", ports: [{ port: 80 }] }));
  assert.equal((await write(first)).spec?.ports?.[0]?.nodePort, 30_000);
  await write({ ...first, spec: { ...first.spec, type: "ClusterIP", ports: [{ port: 80 }] } });
  const second = await write(service("b", { type: "NodePort", ports: [{ port: 80 }] }));
  assert.equal(second.spec?.ports?.[0]?.nodePort, 30_000);
});

test("a local load balancer gets a port for its health checks", async () => {
  const spec = { type: "LoadBalancer", externalTrafficPolicy: "Local", ports: [{ port: 80 }] };
  const { spec: given } = await (await fixture()).write(service("lb", spec));
  assert.ok((given?.healthCheckNodePort ?? 0) >= 30_000);
  assert.notEqual(given?.healthCheckNodePort, given?.ports?.[0]?.nodePort);
});

test("a cluster of one family refuses the other", async () => {
  const wanted = service("a", { ipFamilyPolicy: "RequireDualStack" });
  await assert.rejects((await fixture()).write(wanted), /this cluster is not configured for dual-stack services/);
  await assert.rejects(
    (await fixture()).write(service("a", { ipFamilies: ["IPv6"] })),
    /not configured on this cluster/,
  );
});

test("a dual-stack Service gets an address of each family's range, and gives the second back", async () => {
  const { write } = await fixture({ serviceCidrs: ["10.96.0.0/12", "fd00:10:96::/124"] });
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

test("ranges that are added give addresses out once the first is full, as long as they are ready", async () => {
  const { write, store } = await fixture({ serviceCidrs: ["10.0.0.0/30"] });
  const wish = (name: string) => service(name, { clusterIP: "10.9.0.3", clusterIPs: ["10.9.0.3"] });
  await assert.rejects(write(wish("a")), /the provided network does not match the current range/);
  await store.create(cidrKey("more"), serviceCidr("more", ["10.9.0.0/29"]));
  for (const name of ["a", "b"])
    assert.match((await write(service(name, {}))).spec?.clusterIP ?? "", /^10\.0\.0\.[12]$/);
  assert.match((await write(service("c", {}))).spec?.clusterIP ?? "", /^10\.9\.0\.[1-6]$/);
  const stored = store.get(cidrKey("more"));
  const conditions = [{ type: "Ready", status: "False", reason: "Terminating", message: "", lastTransitionTime: "" }];
  const held: ServiceCIDR = { ...stored?.object, status: { conditions } };
  await store.update(cidrKey("more"), held, stored?.revision ?? 0);
  await assert.rejects(write(service("d", {})), /range is full/);
  await assert.rejects(write(wish("d")), /the provided network does not match the current range/);
});

const addresses = (store: ObjectStore) =>
  store.list("ipaddresses.networking.k8s.io").items.map(({ object }) => object as IPAddress);

test("a Service's IPAddresses come and go with it", async () => {
  const { write, store } = await fixture({ serviceCidrs: ["10.96.0.0/12", "fd00:10:96::/112"] });
  const wish = {
    clusterIP: "10.96.0.7",
    clusterIPs: ["10.96.0.7", "fd00:10:96::7"],
    ipFamilyPolicy: "RequireDualStack",
  };
  const dual = await write(service("web", wish));
  assert.deepEqual(
    addresses(store).map(({ metadata, spec }) => [metadata?.name, metadata?.labels, spec?.parentRef]),
    ["IPv4", "IPv6"].map((family, index) => [
      wish.clusterIPs[index],
      { "ipaddress.kubernetes.io/ip-family": family, "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io" },
      { resource: "services", namespace: "default", name: "web" },
    ]),
  );
  await write({ ...dual, spec: { ...dual.spec, ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"] } });
  assert.deepEqual(
    addresses(store).map(({ metadata }) => metadata?.name),
    ["10.96.0.7"],
  );
  const key = { resource: "services", namespace: "default", name: "web" };
  await store.delete(key, store.get(key)?.revision ?? 0);
  assert.deepEqual(addresses(store), []);
});

test("a write that the store refuses adds and removes no IPAddress", async () => {
  const { write, store } = await fixture();
  await write(service("web", { clusterIP: "10.96.0.7", clusterIPs: ["10.96.0.7"] }));
  const key = { resource: "services", namespace: "default", name: "web" };
  const other = service("web", { clusterIP: "10.96.0.8", clusterIPs: ["10.96.0.8"] });
  await assert.rejects(store.update(key, other, 1), { code: "Conflict" });
  await assert.rejects(store.create(key, other), { code: "Exists" });
  await assert.rejects(store.delete(key, 1), { code: "Conflict" });
  assert.deepEqual(
    addresses(store).map(({ metadata }) => metadata?.name),
    ["10.96.0.7"],
  );
});

test("an IPAddress that a user made keeps its address from Services, also before it is stored", async () => {
  const { write, store } = await fixture();
  const object = { metadata: { name: "10.96.0.9" }, spec: { parentRef: { resource: "vips", name: "x" } } };
  const stored = store.create({ resource: "ipaddresses.networking.k8s.io", namespace: "", name: "10.96.0.9" }, object);
  const wish = service("web", { clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.9"] });
  await assert.rejects(write(wish), /provided IP is already allocated/);
  await stored;
  await assert.rejects(write(wish), /provided IP is already allocated/);
});

test("what a start finds different is repaired: addresses of older releases, and of Services that are gone", async () => {
  const store = createMemoryStore();
  const web = service("web", { clusterIP: "10.96.0.7", clusterIPs: ["10.96.0.7"] });
  await store.create({ resource: "services", namespace: "default", name: "web" }, web);
  const gone = { address: parseIpAddress("10.96.0.8"), clock: { now: () => 0 } };
  await addIpAddress(store, { ...gone, key: { resource: "services", namespace: "default", name: "gone" } });
  const theirs = { metadata: { name: "10.96.0.9" }, spec: { parentRef: { resource: "vips", name: "x" } } };
  await store.create({ resource: "ipaddresses.networking.k8s.io", namespace: "", name: "10.96.0.9" }, theirs);
  const { differences } = createAllocations({ store, nodePortRange: { first: 30_000, last: 32_767 } });
  await repairAddresses(differences, { store, clock: { now: () => 0 } });
  assert.deepEqual(
    addresses(store).map(({ metadata, spec }) => [metadata?.name, spec?.parentRef.name]),
    [
      ["10.96.0.7", "web"],
      ["10.96.0.9", "x"],
    ],
  );
});
