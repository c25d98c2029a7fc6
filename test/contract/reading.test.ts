/** What a list or a get may ask of versions, and what becomes of a list in pages when its state is forgotten. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Status } from "../../src/api/generated/types.ts";
import type { KubernetesObject, ObjectList } from "../../src/api/object.ts";
import { resources } from "../../src/api/resources.ts";
import { createMemoryStore } from "../../src/storage/index.ts";
import { startTestServer } from "./api-server.ts";
import type { TestServer } from "./api-server.ts";
import { httpCaller } from "./http-call.ts";
import type { Call, Caller } from "./http-call.ts";

const store = createMemoryStore({ history: { events: 100 } });
const path = "/api/v1/namespaces/default/configmaps";
let started: TestServer | undefined;
let call: Caller;

before(async () => {
  started = await startTestServer({ store });
  call = httpCaller(started);
  const client = started.server.client({ name: "a", groups: ["system:masters"] });
  for (const name of ["a", "b", "c", "d"]) {
    // oxlint-disable-next-line no-await-in-loop -- their versions must follow one another
    await client.create(resources.configMaps, { metadata: { name, namespace: "default" } });
  }
});
after(async () => await started?.close());

interface Answer<T> {
  readonly code: number;
  readonly body: T;
}

function get<T>(url: string, accept = "application/json"): Promise<Answer<T>> {
  return ask(url, { headers: { accept } });
}

function post<T>(url: string, body: object): Promise<Answer<T>> {
  return ask(url, { method: "POST", body });
}

function apply<T>(url: string, body: string): Promise<Answer<T>> {
  return ask(url, { method: "PATCH", body, headers: { "content-type": "application/apply-patch+yaml" } });
}

async function ask<T>(url: string, options: Call): Promise<Answer<T>> {
  const { code, json } = await call(url, options);
  return { code, body: json as T };
}

type List = ObjectList<KubernetesObject>;

const namesOf = ({ items }: List): readonly string[] => items.map(({ metadata }) => metadata?.name ?? "");

test("pages show one state; when it is forgotten, 410 brings a token to go on from", async () => {
  const first = await get<List>(`${path}?limit=2`);
  assert.deepEqual(namesOf(first.body), ["a", "b"]);
  assert.equal(first.body.metadata?.remainingItemCount, 2);
  const token = encodeURIComponent(first.body.metadata?.continue ?? "");
  const client = started?.server.client({ name: "a", groups: ["system:masters"] });
  await client?.create(resources.configMaps, { metadata: { name: "bb", namespace: "default" } });
  const second = await get<List>(`${path}?limit=2&continue=${token}`);
  assert.deepEqual(namesOf(second.body), ["c", "d"]);
  assert.equal(second.body.metadata?.resourceVersion, first.body.metadata?.resourceVersion);

  store.compact(store.revision);
  const late = await get<Status>(`${path}?limit=2&continue=${token}`);
  assert.equal(late.code, 410);
  assert.equal(late.body.reason, "Expired");
  assert.match(late.body.message ?? "", /^The provided continue parameter is too old to display a consistent list/);
  const fresh = encodeURIComponent(late.body.metadata?.continue ?? "");
  const rest = await get<List>(`${path}?continue=${fresh}`);
  assert.deepEqual(namesOf(rest.body), ["bb", "c", "d"]);
  assert.equal(rest.body.metadata?.resourceVersion, String(store.revision));
});

test("an exact version is that state, or 410 when it is forgotten", async () => {
  const revision = String(store.revision);
  const exact = await get<List>(`${path}?resourceVersion=${revision}&resourceVersionMatch=Exact`);
  assert.equal(exact.body.metadata?.resourceVersion, revision);
  const forgotten = await get<Status>(`${path}?resourceVersion=1&resourceVersionMatch=Exact`);
  assert.equal(forgotten.code, 410);
  assert.equal(forgotten.body.message, "The resourceVersion for the provided list is too old.");
  const newer = await get<List>(`${path}?resourceVersion=1&resourceVersionMatch=NotOlderThan`);
  assert.equal(newer.body.metadata?.resourceVersion, revision);
});

test("a version to come is 504, for lists and for single objects", async () => {
  for (const url of [`${path}?resourceVersion=99999`, `${path}/a?resourceVersion=99999`]) {
    // oxlint-disable-next-line no-await-in-loop -- one request after the other
    const { code, body } = await get<Status>(url);
    assert.equal(code, 504, url);
    assert.equal(body.message, `Timeout: Too large resource version: 99999, current: ${store.revision}`);
    assert.deepEqual(body.details, {
      causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
      retryAfterSeconds: 1,
    });
  }
});

test("combinations that upstream forbids are refused in its words", async () => {
  const cases: readonly (readonly [string, string])[] = [
    [
      "resourceVersionMatch=Exact",
      "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
    ],
    [
      "resourceVersionMatch=Exact&resourceVersion=0",
      'resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    ],
    [
      "resourceVersionMatch=Newest&resourceVersion=1",
      'resourceVersionMatch: Unsupported value: "Newest": supported values: "Exact", "NotOlderThan", ""',
    ],
    ["sendInitialEvents=true", "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"],
  ];
  for (const [query, expected] of cases) {
    // oxlint-disable-next-line no-await-in-loop -- one request after the other
    const { code, body } = await get<Status>(`${path}?${query}`);
    assert.equal(code, 422, query);
    assert.equal(body.message, `ListOptions.meta.k8s.io "" is invalid: ${expected}`);
  }
});

test("PartialObjectMetadata comes for one object and for lists", async () => {
  const accept = (kind: string): string => `application/json;as=${kind};g=meta.k8s.io;v=v1`;
  const one = await get<KubernetesObject>(`${path}/a`, accept("PartialObjectMetadata"));
  assert.equal(one.body.kind, "PartialObjectMetadata");
  assert.equal(one.body.metadata?.name, "a");
  const list = await get<List>(`${path}?limit=1`, accept("PartialObjectMetadataList"));
  assert.equal(list.body.kind, "PartialObjectMetadataList");
  assert.equal(list.body.items[0]?.kind, "PartialObjectMetadata");
  assert.ok((list.body.metadata?.continue ?? "") !== "");
});

test("a Table marks the rows of pods that have ended", async () => {
  const client = started?.server.client({ name: "a", groups: ["system:masters"] });
  const spec = { containers: [{ name: "c", image: "x" }] };
  for (const name of ["ended", "runs"]) {
    // oxlint-disable-next-line no-await-in-loop -- two pods, one after the other
    await client?.create(resources.pods, { metadata: { name, namespace: "default" }, spec });
  }
  const key = { namespace: "default", name: "ended" };
  await client?.patch(
    resources.pods,
    key,
    { type: "merge", body: { status: { phase: "Failed" } } },
    { subresource: "status" },
  );
  const accept = "application/json;as=Table;g=meta.k8s.io;v=v1";
  const { body } = await get<{ rows: { conditions?: unknown }[] }>("/api/v1/namespaces/default/pods", accept);
  assert.deepEqual(
    body.rows.map(({ conditions }) => conditions),
    [[{ type: "Completed", status: "True", reason: "Failed", message: "The pod failed." }], undefined],
  );
});

test("POST of a Binding to its collection places the pod that it names", async () => {
  const client = started?.server.client({ name: "a", groups: ["system:masters"] });
  const binding = { metadata: { name: "runs", namespace: "default" }, target: { kind: "Node", name: "node-1" } };
  const { code, body } = await post<Status>("/api/v1/namespaces/default/bindings", binding);
  assert.equal(code, 201);
  assert.equal(body.status, "Success");
  const pod = await client?.get(resources.pods, { namespace: "default", name: "runs" });
  assert.equal(pod?.spec?.nodeName, "node-1");
});

test("a configuration creates with 201, changes scale, and needs a manager's name", async () => {
  const url = "/apis/apps/v1/namespaces/default/deployments/web";
  const manifest = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx}]}
`;
  const nameless = await apply<Status>(url, manifest);
  assert.equal(nameless.code, 422);
  assert.equal(
    nameless.body.message,
    'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
  );
  assert.equal((await apply<KubernetesObject>(`${url}?fieldManager=me`, manifest)).code, 201);
  const again = await apply<KubernetesObject>(`${url}?fieldManager=me`, manifest);
  assert.equal(again.code, 200);
  const scale = "apiVersion: autoscaling/v1\nkind: Scale\nmetadata: {name: web}\nspec: {replicas: 4}\n";
  // The default belongs to nobody, so it belongs to whoever came before.
  const refused = await apply<Status>(`${url}/scale?fieldManager=scaler`, scale);
  assert.match(refused.body.message ?? "", /conflict with "before-first-apply" with subresource "scale"/);
  const forced = `${url}/scale?fieldManager=scaler&force=true`;
  const scaled = await apply<{ spec: { replicas: number } }>(forced, scale);
  assert.deepEqual([scaled.code, scaled.body.spec.replicas], [200, 4]);
  const broken = await apply<Status>(`${url}?fieldManager=me`, "a: [");
  assert.equal(broken.code, 400);
  assert.match(broken.body.message ?? "", /^error decoding YAML: /);
  const other = await apply<Status>(`${url}?fieldManager=me`, manifest.replace("apps/v1", "extensions/v1beta1"));
  assert.match(other.body.message ?? "", /^invalid object type: extensions\/v1beta1, Kind=Deployment$/);
});
