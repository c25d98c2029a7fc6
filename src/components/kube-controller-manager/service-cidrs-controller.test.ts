import assert from "node:assert/strict";
import { test } from "node:test";
import { resources } from "../../api/resources.ts";
import { parseIpAddress } from "../../lib/ip/index.ts";
import { settle } from "../../machinery/fake-clock.ts";
import { ipAddressOf } from "../../model/service-cidrs/index.ts";
import { startCluster } from "./test-cluster.ts";

const resource = resources.serviceCidrs;

async function clusterWithRange() {
  const cluster = await startCluster(["service-cidrs-controller"]);
  await cluster.client.create(resource, { metadata: { name: "more" }, spec: { cidrs: ["10.9.0.0/24"] } });
  await settle();
  const ready = () =>
    cluster.client
      .peekAll(resource)[0]
      ?.status?.conditions?.map(({ status, reason, message }) => [status, reason, message]);
  return { cluster, client: cluster.client, clock: cluster.clock, ready };
}

test("a new ServiceCIDR gets its finalizer and becomes ready", async () => {
  const { cluster, client, ready } = await clusterWithRange();
  const [range] = client.peekAll(resource);
  assert.deepEqual(range?.metadata?.finalizers, ["networking.k8s.io/service-cidr-finalizer"]);
  assert.deepEqual(ready(), [["True", "", "Kubernetes Service CIDR is ready"]]);
  await cluster.stop();
});

test("a ServiceCIDR that is deleted waits for its last address, then ten seconds", async () => {
  const { cluster, client, clock, ready } = await clusterWithRange();
  const address = ipAddressOf(parseIpAddress("10.9.0.7"), { namespace: "default", name: "web" });
  await client.create(resources.ipAddresses, address);
  await settle();
  await client.delete(resource, { name: "more" });
  await clock.advance(60_000);
  assert.deepEqual(ready(), [
    [
      "False",
      "Terminating",
      "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR",
    ],
  ]);
  await client.delete(resources.ipAddresses, { name: "10.9.0.7" });
  await settle();
  assert.deepEqual(cluster.names(resource), []);
  await cluster.stop();
});

test("a ServiceCIDR without addresses goes ten seconds after its deletion", async () => {
  const { cluster, client, clock } = await clusterWithRange();
  await client.delete(resource, { name: "more" });
  await clock.advance(9000);
  assert.deepEqual(cluster.names(resource), ["more"]);
  await clock.advance(2000);
  assert.deepEqual(cluster.names(resource), []);
  await cluster.stop();
});

test("a range that holds all of one that is deleted lets it go", async () => {
  const { cluster, client, clock } = await clusterWithRange();
  await client.create(
    resources.ipAddresses,
    ipAddressOf(parseIpAddress("10.9.0.7"), { namespace: "default", name: "web" }),
  );
  await client.delete(resource, { name: "more" });
  await clock.advance(60_000);
  assert.deepEqual(cluster.names(resource), ["more"]);
  await client.create(resource, { metadata: { name: "around" }, spec: { cidrs: ["10.9.0.0/16"] } });
  await settle();
  assert.deepEqual(cluster.names(resource), ["around"]);
  await cluster.stop();
});
