/** What goes over the wire: forms of answers, watches, pages, limits, and who is let in. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:http2";
import { after, before, test } from "node:test";
import * as fc from "fast-check";
import { resources } from "../../src/api/resources.ts";
import type { ApiClient } from "../../src/client/index.ts";
import { startTestServer } from "./api-server.ts";
import type { TestServer } from "./api-server.ts";
import { patience } from "../patience.ts";
import { administratorOf, httpCaller } from "./http-call.ts";
import type { Answer, Call, Caller } from "./http-call.ts";

let started: TestServer | undefined;
let call: Caller;

function running(): TestServer {
  if (started === undefined) throw new Error("the test server did not start");
  return started;
}

before(async () => {
  started = await startTestServer();
  call = httpCaller(started);
});

after(async () => {
  await started?.close();
});

async function json(path: string, options: Call = {}): Promise<unknown> {
  return (await call(path, options)).json;
}

function admin(): ApiClient {
  return running().server.client({ name: "admin", groups: ["system:masters"] });
}

async function makeMaps(prefix: string, count: number): Promise<void> {
  const made = Array.from({ length: count }, (_, index) =>
    admin().create(resources.configMaps, {
      metadata: { name: `${prefix}-${index}`, namespace: "default", labels: { set: prefix } },
      data: { text: "x".repeat(2000) },
    }),
  );
  await Promise.all(made);
}

const maps = "/api/v1/namespaces/default/configmaps";

test("nobody known may see health and version, nothing else", async () => {
  for (const path of ["/healthz", "/livez", "/readyz", "/version"]) {
    assert.equal((await call(path, { isAnonymous: true })).code, 200, path);
  }
  const refused = await call("/api/v1/nodes", { isAnonymous: true });
  assert.equal(refused.code, 403);
  assert.equal(
    (JSON.parse(refused.text) as { message: string }).message,
    'nodes is forbidden: User "system:anonymous" cannot list resource "nodes" in API group "" at the cluster scope',
  );
  assert.equal((await call("/api", { isAnonymous: true, headers: { authorization: "Bearer x.y.z" } })).code, 401);
});

test("/readyz names its checks", async () => {
  const { text } = await call("/readyz?verbose");
  assert.match(text, /^\[\+\]etcd ok$/m);
  assert.equal((await call("/readyz/etcd")).text, "ok");
  assert.equal((await call("/readyz/nothing")).code, 404);
});

test("a list is answered in pages that show one moment", async () => {
  await makeMaps("page", 5);
  const { metadata } = (await json(`${maps}?limit=2&labelSelector=set%3Dpage`)) as {
    metadata: { continue: string; resourceVersion: string };
  };
  await admin().delete(resources.configMaps, { namespace: "default", name: "page-4" });
  const names: string[] = [];
  let token = metadata.continue;
  while (token !== "") {
    const next = (await json(`${maps}?limit=2&labelSelector=set%3Dpage&continue=${token}`)) as {
      metadata: { continue?: string; resourceVersion: string };
      items: { metadata: { name: string } }[];
    };
    assert.equal(next.metadata.resourceVersion, metadata.resourceVersion);
    names.push(...next.items.map((item) => item.metadata.name));
    token = next.metadata.continue ?? "";
  }
  assert.deepEqual(names, ["page-2", "page-3", "page-4"]);
  const all = (await json(`${maps}?limit=1`)) as { metadata: { remainingItemCount?: number } };
  assert.ok((all.metadata.remainingItemCount ?? 0) >= 3);
});

test("a token that is not ours, a version to come and a bad selector are told apart", async () => {
  assert.equal((await call(`${maps}?continue=x`)).code, 400);
  assert.equal((await call(`${maps}?resourceVersion=999999&resourceVersionMatch=Exact`)).code, 504);
  assert.equal((await call(`${maps}?labelSelector=a%3D%3D%3D`)).code, 400);
  const { text } = await call(`${maps}?fieldSelector=data.x%3D1`);
  assert.equal(
    (JSON.parse(text) as { message: string }).message,
    '"data.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
  );
});

test("Tables and partial objects are made where they are asked for", async () => {
  const accept = (as: string): Call => ({ headers: { accept: `application/json;as=${as};v=v1;g=meta.k8s.io` } });
  const table = (await json("/api/v1/namespaces", accept("Table"))) as {
    kind: string;
    columnDefinitions: { name: string }[];
    rows: { cells: unknown[]; object: { kind: string } }[];
  };
  assert.equal(table.kind, "Table");
  assert.deepEqual(
    table.columnDefinitions.map(({ name }) => name),
    ["Name", "Status", "Age"],
  );
  assert.deepEqual(table.rows[0]?.cells.slice(0, 2), ["default", "Active"]);
  assert.equal(table.rows[0]?.object.kind, "PartialObjectMetadata");
  const partial = (await json("/api/v1/namespaces/default", accept("PartialObjectMetadata"))) as object;
  assert.deepEqual(Object.keys(partial).toSorted(), ["apiVersion", "kind", "metadata"]);
  assert.equal((await call("/api/v1/namespaces", { headers: { accept: "text/html" } })).code, 406);
});

test("large answers are compressed for those who can read it", async () => {
  await makeMaps("large", 80);
  const { headers, text } = await call(`${maps}?labelSelector=set%3Dlarge`, { headers: { "accept-encoding": "gzip" } });
  assert.equal(headers["content-encoding"], "gzip");
  assert.equal((JSON.parse(text) as { items: unknown[] }).items.length, 80);
});

test("a watch begins with the state and a bookmark where it is asked to, and ends in time", async () => {
  await makeMaps("watched", 2);
  const query = "watch=1&labelSelector=set%3Dwatched&timeoutSeconds=1&allowWatchBookmarks=true";
  const { text } = await call(`${maps}?${query}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`);
  const lines = text.trim().split("\n");
  const events = lines.map(
    (line) => JSON.parse(line) as { type: string; object: { metadata: { annotations?: object } } },
  );
  assert.deepEqual(
    events.map(({ type }) => type),
    ["ADDED", "ADDED", "BOOKMARK", "BOOKMARK"],
  );
  assert.deepEqual(events[2]?.object.metadata.annotations, { "k8s.io/initial-events-end": "true" });
});

test("a watch from a forgotten version gets 410", async () => {
  await makeMaps("forgotten", 2);
  running().store.compact(running().store.revision);
  const { code, text } = await call(`${maps}?watch=1&resourceVersion=1`);
  assert.equal(code, 410);
  assert.match((JSON.parse(text) as { message: string }).message, /^too old resource version: 1 \(\d+\)$/);
});

test("dryRun=All stores nothing", async () => {
  const object = JSON.stringify({ metadata: { name: "dry" } });
  const headers = { "content-type": "application/json" };
  assert.equal((await call(`${maps}?dryRun=All`, { method: "POST", headers, body: object })).code, 201);
  assert.equal((await call(`${maps}/dry`)).code, 404);
});

test("unknown fields are refused, warned of or dropped as the client says", async () => {
  const body = JSON.stringify({ metadata: { name: "fields" }, dada: {} });
  const post = (mode: string): Promise<Answer> =>
    call(`${maps}?dryRun=All&fieldValidation=${mode}`, { method: "POST", body });
  const strict = await post("Strict");
  assert.equal(strict.code, 400);
  assert.match(strict.text, /strict decoding error: unknown field \\"dada\\"/);
  assert.match(String((await post("Warn")).headers["warning"]), /^299 - "unknown field \\"dada\\"/);
  assert.equal((await post("Ignore")).headers["warning"], undefined);
});

test("limits: large bodies, deep bodies, unknown types of bodies", async () => {
  const post = (body: string, type = "application/json"): Promise<Answer> =>
    call(maps, { method: "POST", body, headers: { "content-type": type } });
  const large = await post(JSON.stringify({ data: { a: "x".repeat(3 * 1024 * 1024) } })).catch(() => undefined);
  if (large !== undefined) assert.equal(large.code, 413);
  assert.equal((await post(`${"[".repeat(100_000)}${"]".repeat(100_000)}`)).code, 400);
  assert.equal((await post("x", "text/plain")).code, 415);
  assert.equal((await post("metadata:\n  name: from-yaml\n", "application/yaml")).code, 201);
});

test(
  "a body without end is answered with 413, and its stream ends: the connection serves on",
  { timeout: 30_000 * patience },
  async () => {
    const session = connect(running().url, { ca: running().pki.caCertificate, ...administratorOf(running().pki) });
    try {
      const endless = session.request({ ":method": "POST", ":path": maps, "content-type": "application/json" });
      endless.on("error", () => undefined);
      const megabyte = Buffer.alloc(2 ** 20, " ");
      const send = (): void => {
        while (!endless.destroyed && endless.write(megabyte));
      };
      endless.on("drain", send);
      send();
      const [headers] = (await once(endless, "response")) as [Readonly<Record<string, unknown>>];
      assert.equal(headers[":status"], 413);
      endless.resume();
      // The server has reset it: Node calls that so while there is something left to send.
      await once(endless, "aborted");
      const next = session.request({ ":path": "/version" });
      const [answer] = (await once(next, "response")) as [Readonly<Record<string, unknown>>];
      assert.equal(answer[":status"], 200);
    } finally {
      session.destroy();
    }
  },
);

test("what is not there, and methods that are not served", async () => {
  assert.equal((await call("/api/v1/nothing")).code, 404);
  assert.equal((await call("/apis/nothing/v1")).code, 404);
  assert.equal((await call("/nothing")).code, 404);
  assert.equal((await call("/version", { method: "POST" })).code, 405);
  assert.equal((await call("/api/v1/namespaces", { method: "DELETE" })).code, 405);
  assert.equal((await call(`${maps}/x/constructor`)).code, 404);
});

test("the namespace decides: nothing new in one that is missing or ends, and some never end", async () => {
  const missing = await call("/api/v1/namespaces/nope/configmaps", {
    method: "POST",
    body: '{"metadata":{"name":"a"}}',
  });
  assert.match(missing.text, /namespaces \\"nope\\" not found/);
  await admin().create(resources.namespaces, { metadata: { name: "ending" } });
  await admin().delete(resources.namespaces, { name: "ending" });
  const ending = await call("/api/v1/namespaces/ending/configmaps", {
    method: "POST",
    body: '{"metadata":{"name":"a"}}',
  });
  assert.equal(ending.code, 403);
  assert.match(ending.text, /because it is being terminated/);
  const kept = await call("/api/v1/namespaces/default", { method: "DELETE" });
  assert.match(kept.text, /namespaces \\"default\\" is forbidden: this namespace may not be deleted/);
});

test("discovery answers in both of its forms", async () => {
  const groups = (await json("/apis")) as { groups: { name: string }[] };
  assert.ok(groups.groups.some(({ name }) => name === "apps"));
  const list = (await json("/api/v1")) as { resources: { name: string }[] };
  assert.ok(list.resources.some(({ name }) => name === "pods/status"));
  const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const { text, headers } = await call("/apis", { headers: { accept } });
  assert.equal(headers["content-type"], "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
  assert.match(text, /"resource":"deployments"/);
});

test("/metrics speaks upstream's names", async () => {
  const { text } = await call("/metrics");
  assert.match(text, /^apiserver_request_total\{.*verb="LIST".*resource="configmaps".*code="200".*\} \d+$/m);
  assert.match(text, /^apiserver_storage_objects\{resource="namespaces"\} \d+$/m);
});

test("/metrics does not grow with what clients make up", async () => {
  const paths = ["/apis/made.up/v1/things", "/api/v1/things", `${maps}/x/things`, "/things"];
  for (const path of paths) assert.equal((await call(path)).code, 404, path);
  const { text } = await call("/metrics");
  assert.match(text, /^apiserver_request_total\{verb="GET",group="",.*resource="".*code="404"\} \d+$/m);
  assert.doesNotMatch(text, /things|made\.up/);
});

test("names that every JavaScript object has are names like any other", async () => {
  const names = ["__proto__", "constructor", "toString"];
  const pod = (fieldPath: string): object => ({
    metadata: { name: "named" },
    spec: { containers: [{ name: "c", image: "x", env: [{ name: "E", valueFrom: { fieldRef: { fieldPath } } }] }] },
  });
  for (const name of names) {
    const data = Object.fromEntries([[name, "eA=="]]);
    const body = { metadata: { name: `named-${names.indexOf(name)}` }, type: name, data };
    const { code, text } = await call("/api/v1/namespaces/default/secrets", { method: "POST", body });
    assert.equal(code, 201, text);
    assert.deepEqual((JSON.parse(text) as { data: unknown }).data, data);
    const refused = await call("/api/v1/namespaces/default/pods", { method: "POST", body: pod(name) });
    assert.match(refused.text, new RegExp(`field label not supported: ${name}`));
  }
});

test("no request makes the server fail", { timeout: 60_000 * patience }, async () => {
  const part = fc.oneof(
    fc.string(),
    fc.constantFrom("api", "v1", "apis", "namespaces", "default", "pods", "..", "%zz"),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(part),
      fc.constantFrom("GET", "POST", "PATCH"),
      fc.string(),
      async (parts, method, body) => {
        const path = `/${parts.join("/")}`.replace(/[^!-~]/g, "_");
        if (/[?&]watch|\/watch/.test(path)) return;
        const { code } = await call(path, { method, ...(method === "GET" ? {} : { body }) });
        assert.ok(code < 500, `${method} ${path}: ${code}`);
      },
    ),
    { numRuns: 60 },
  );
});
