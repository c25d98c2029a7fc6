/** What the API server gives the Services of a dual-stack cluster, and the objects that show what is taken. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { IPAddress } from "../../src/api/generated/types.ts";
import { resources } from "../../src/api/resources.ts";
import type { ApiClient } from "../../src/client/index.ts";
import { exampleCluster } from "../../src/model/cluster-plan/index.ts";
import { eventually } from "../cluster/lab/index.ts";
import { startTestServer, type TestServer } from "./api-server.ts";

let started: TestServer;
let client: ApiClient;

before(async () => {
  const config = exampleCluster("/nonexistent", { nodes: [] }, { ipFamily: "dual" });
  started = await startTestServer({ config });
  client = started.server.client({ name: "kubernetes-admin", groups: ["system:masters"] });
});
after(async () => await started.close());

const metadata = { name: "web", namespace: "default" };
const web = { metadata, spec: { ipFamilyPolicy: "PreferDualStack", selector: { app: "web" }, ports: [{ port: 80 }] } };

async function addresses(): Promise<ReadonlyMap<string, IPAddress>> {
  const { items } = await client.list(resources.ipAddresses);
  return new Map(items.map((item) => [item.metadata?.name ?? "", item]));
}

/** "10.96.0.1 default/kubernetes". */
async function taken(): Promise<readonly string[]> {
  return [...(await addresses())].map(
    ([name, { spec }]) => `${name} ${spec.parentRef.namespace}/${spec.parentRef.name}`,
  );
}

test("the cluster's Service ranges are a ServiceCIDR that is ready", async () => {
  await eventually(async () => {
    const { spec, status } = await client.get(resources.serviceCidrs, { name: "kubernetes" });
    assert.deepEqual(spec?.cidrs, ["10.96.0.0/12", "fd00:10:96::/112"]);
    assert.deepEqual(
      status?.conditions?.map(({ type, status: is }) => [type, is]),
      [["Ready", "True"]],
    );
  });
});

test("each address of a Service is an IPAddress that names it, for as long as the Service has it", async () => {
  const service = await client.create(resources.services, web);
  const [first = "", second = ""] = service.spec?.clusterIPs ?? [];
  const kubernetes = "10.96.0.1 default/kubernetes";
  await eventually(async () => {
    assert.deepEqual(await taken(), [kubernetes, `${first} default/web`, `${second} default/web`].toSorted());
  });
  const shown = (await addresses()).get(second);
  assert.deepEqual(shown?.metadata?.labels, {
    "ipaddress.kubernetes.io/ip-family": "IPv6",
    "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
  });
  assert.deepEqual(shown?.spec.parentRef, { resource: "services", namespace: "default", name: "web" });

  await client.patch(resources.services, metadata, {
    type: "merge",
    body: { spec: { ipFamilyPolicy: "SingleStack" } },
  });
  await eventually(async () => assert.deepEqual(await taken(), [kubernetes, `${first} default/web`].toSorted()));

  await client.delete(resources.ipAddresses, { name: first });
  await eventually(async () => assert.ok((await addresses()).has(first)));

  await client.delete(resources.services, metadata);
  await eventually(async () => assert.deepEqual(await taken(), [kubernetes]));
});

test("an IPAddress that somebody else made keeps its address from Services", async () => {
  const own = {
    metadata: { name: "10.96.0.99" },
    spec: { parentRef: { group: "x.io", resource: "things", name: "a" } },
  };
  await client.create(resources.ipAddresses, own);
  const wish = { ...web, spec: { ...web.spec, clusterIP: "10.96.0.99", ipFamilyPolicy: "SingleStack" } };
  await assert.rejects(client.create(resources.services, wish), /provided IP is already allocated/);
  await client.delete(resources.ipAddresses, { name: "10.96.0.99" });
  const { spec } = await client.create(resources.services, wish);
  assert.equal(spec?.clusterIP, "10.96.0.99");
});
