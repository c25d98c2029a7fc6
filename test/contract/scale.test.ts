/** The subresource `scale`, and who owns the number of replicas: asked of kube-apiserver 1.35.0, too. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import type { ManagedFieldsEntry, Scale } from "../../src/api/generated/types.ts";
import { startTestServer } from "./api-server.ts";
import type { TestServer } from "./api-server.ts";
import { httpCaller } from "./http-call.ts";
import type { Answer, Caller } from "./http-call.ts";

let server: TestServer | undefined;
let ask: Caller;
before(async () => {
  server = await startTestServer();
  ask = httpCaller(server);
});
after(async () => await server?.close());

const path = "/apis/apps/v1/namespaces/default/deployments/d";
beforeEach(async () => {
  await ask(path, { method: "DELETE" });
  const labels = { a: "b" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "x" }] } };
  const body = { metadata: { name: "d" }, spec: { replicas: 2, selector: { matchLabels: labels }, template } };
  await ask("/apis/apps/v1/namespaces/default/deployments?fieldManager=creator", { method: "POST", body });
});

const scale = (replicas: number, metadata: object = { name: "d" }): object => ({
  apiVersion: "autoscaling/v1",
  kind: "Scale",
  metadata,
  spec: { replicas },
});
const apply = (body: object, query: string, to = `${path}/scale`): Promise<Answer> =>
  ask(`${to}?${query}`, { method: "PATCH", headers: { "content-type": "application/apply-patch+yaml" }, body });

/** `manager operation subresource` of those who own the number of replicas. */
async function owners(): Promise<readonly string[]> {
  const { metadata } = (await ask(path)).json as { metadata: { managedFields: readonly ManagedFieldsEntry[] } };
  return metadata.managedFields
    .filter(({ fieldsV1 }) => JSON.stringify(fieldsV1).includes("f:replicas"))
    .map(({ manager, operation, subresource = "-", apiVersion }) =>
      [manager, operation, subresource, apiVersion].join(" "),
    );
}

test("a Scale shows the number wanted, the number there is, and the selector as text", async () => {
  const { spec, status } = (await ask(`${path}/scale`)).json as Scale;
  assert.deepEqual([spec, status], [{ replicas: 2 }, { replicas: 0, selector: "a=b" }]);
});

test("applying a Scale conflicts with who made the workload, in the Scale's own version", async () => {
  const { code, json } = await apply(scale(5), "fieldManager=hpa");
  assert.equal(code, 409);
  const { message, details } = json as { message: string; details: unknown };
  assert.equal(message, 'Apply failed with 1 conflict: conflict with "creator" using autoscaling/v1: .spec.replicas');
  const cause = { reason: "FieldManagerConflict", message: 'conflict with "creator" using autoscaling/v1' };
  assert.deepEqual(details, { causes: [{ ...cause, field: ".spec.replicas" }] });
  assert.deepEqual(await owners(), ["creator Update - apps/v1"]);
});

test("a forced Scale takes the number from all others, and the workload tells by whom it was taken", async () => {
  assert.equal((await apply(scale(5), "fieldManager=hpa&force=true")).code, 200);
  assert.deepEqual(await owners(), ["hpa Apply scale apps/v1"]);
  const deployment = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "d" } };
  const refused = await apply({ ...deployment, spec: { replicas: 7 } }, "fieldManager=me", path);
  assert.equal(
    (refused.json as { message: string }).message,
    'Apply failed with 1 conflict: conflict with "hpa" with subresource "scale": .spec.replicas',
  );
  assert.equal((await apply({ ...deployment, spec: { replicas: 5 } }, "fieldManager=me", path)).code, 200);
  assert.deepEqual(await owners(), ["hpa Apply scale apps/v1", "me Apply - apps/v1"]);
  assert.equal((await apply(scale(6), "fieldManager=hpa")).code, 409);
});

test("a replaced Scale passes the number on as an update", async () => {
  const put = await ask(`${path}/scale?fieldManager=putter`, { method: "PUT", body: scale(3) });
  assert.deepEqual((put.json as Scale).spec, { replicas: 3 });
  assert.deepEqual(await owners(), ["putter Update scale apps/v1"]);
});

test("a Scale that drops the number gives it up, and the last owner takes it along", async () => {
  await apply(scale(5), "fieldManager=hpa&force=true");
  const { spec: _spec, ...empty } = scale(0) as Scale;
  const dropped = await apply(empty, "fieldManager=hpa");
  assert.equal(dropped.code, 200);
  assert.deepEqual(await owners(), []);
});

test("what is no Scale, has another name or no name, or a negative number is refused", async () => {
  const message = async (answer: Promise<Answer>): Promise<string> =>
    ((await answer).json as { message: string }).message;
  assert.equal(
    await message(apply({ apiVersion: "apps/v1", kind: "Deployment" }, "fieldManager=hpa")),
    "invalid object type: apps/v1, Kind=Deployment",
  );
  assert.equal(
    await message(ask(`${path}/scale`, { method: "PUT", body: scale(1, { name: "e" }) })),
    "the name of the object (e) does not match the name on the URL (d)",
  );
  assert.equal(
    await message(ask(`${path}/scale`, { method: "PUT", body: scale(1, {}) })),
    "the name of the object (d based on URL) was undeterminable: name must be provided",
  );
  assert.match(
    await message(apply(scale(-1), "fieldManager=hpa&force=true")),
    /^Scale\.autoscaling "d" is invalid: spec\.replicas: Invalid value: -1: must be greater than or equal to 0$/,
  );
});

test("conflicts at a status are told in upstream's order", async () => {
  const status = (replicas: number, condition: string): object => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "d" },
    status: { replicas, conditions: [{ type: "A", status: condition }] },
  });
  assert.equal((await apply(status(3, "True"), "fieldManager=one", `${path}/status`)).code, 200);
  const { json } = await apply(status(4, "False"), "fieldManager=two", `${path}/status`);
  assert.deepEqual(
    (json as { details: { causes: readonly { field: string }[] } }).details.causes.map(({ field }) => field),
    [".status.replicas", '.status.conditions[type="A"].status'],
  );
});
