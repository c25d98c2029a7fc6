/** What upstream's server answers to mistakes, word for word: each was asked of kube-apiserver 1.35.0. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startTestServer } from "./api-server.ts";
import type { TestServer } from "./api-server.ts";
import { httpCaller } from "./http-call.ts";
import type { Call, Caller } from "./http-call.ts";

let server: TestServer | undefined;
let ask: Caller;

const maps = "/api/v1/namespaces/default/configmaps";
const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { x: "1" } };
const deployments = "/apis/apps/v1/namespaces/default/deployments";

before(async () => {
  server = await startTestServer();
  ask = httpCaller(server);
  await ask(maps, { method: "POST", body: map });
  const labels = { a: "b" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "x" }] } };
  const spec = { replicas: 2, selector: { matchLabels: labels }, template };
  await ask(deployments, { method: "POST", body: { metadata: { name: "d" }, spec } });
});

after(async () => await server?.close());

const post = (body: unknown): Call => ({ method: "POST", body });
const put = (metadata: object): Call => ({ method: "PUT", body: { ...map, metadata } });
const patch = (type: string, body: unknown): Call => ({
  method: "PATCH",
  headers: { "content-type": `application/${type}` },
  body,
});
const yaml = (body: string): Call => ({ method: "POST", headers: { "content-type": "application/yaml" }, body });
const notAllowed = "the server does not allow this method on the requested resource";

const cases: readonly (readonly [string, string, Call, number, string, string])[] = [
  ["a name that exists", maps, post(map), 409, "AlreadyExists", 'configmaps "a" already exists'],
  ["a name that does not", `${maps}/zz`, {}, 404, "NotFound", 'configmaps "zz" not found'],
  ["POST to an object", `${maps}/a`, post(map), 405, "MethodNotAllowed", notAllowed],
  ["PUT of a collection", maps, { method: "PUT", body: map }, 405, "MethodNotAllowed", notAllowed],
  ["PATCH of a collection", maps, patch("merge-patch+json", {}), 405, "MethodNotAllowed", notAllowed],
  [
    "a verb that a subresource lacks",
    "/api/v1/namespaces/default/pods/x/log",
    { method: "DELETE" },
    405,
    "MethodNotAllowed",
    notAllowed,
  ],
  [
    "an old version",
    `${maps}/a`,
    put({ name: "a", resourceVersion: "1" }),
    409,
    "Conflict",
    'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
  ],
  [
    "PUT without a name",
    `${maps}/a`,
    put({}),
    400,
    "BadRequest",
    "the name of the object (a based on URL) was undeterminable: name must be provided",
  ],
  [
    "PUT under another name",
    `${maps}/a`,
    put({ name: "b" }),
    400,
    "BadRequest",
    "the name of the object (b) does not match the name on the URL (a)",
  ],
  [
    "JSON that ends early",
    maps,
    post('{"a":'),
    400,
    "BadRequest",
    'the object provided is unrecognized (must be of type ConfigMap): couldn\'t get version/kind; json parse error: unexpected end of JSON input ({"a":)',
  ],
  [
    "nothing",
    maps,
    post(""),
    400,
    "BadRequest",
    "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)",
  ],
  [
    "a value of a wrong type",
    maps,
    post('{"data":{"a":1}}'),
    400,
    "BadRequest",
    'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
  ],
  [
    "no YAML",
    maps,
    yaml("a: b: c"),
    400,
    "BadRequest",
    "the object provided is unrecognized (must be of type ConfigMap): yaml: mapping values are not allowed in this context (613a20623a2063)",
  ],
  [
    "an unknown anchor",
    maps,
    yaml("kind: *x"),
    400,
    "BadRequest",
    "the object provided is unrecognized (must be of type ConfigMap): yaml: unknown anchor 'x' referenced (6b696e643a202a78)",
  ],
  [
    "YAML's other booleans",
    maps,
    yaml("metadata: {name: t}\ndata: {a: on}"),
    400,
    "BadRequest",
    'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal bool into Go struct field ConfigMap.data of type string',
  ],
  [
    "a body of no known type",
    maps,
    { ...post("x"), headers: { "content-type": "text/plain" } },
    415,
    "UnsupportedMediaType",
    "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf",
  ],
  [
    "a patch of no known type",
    `${maps}/a`,
    patch("json", {}),
    415,
    "UnsupportedMediaType",
    "415: Unsupported Media Type",
  ],
  [
    "no answer that is accepted",
    `${maps}/a`,
    { headers: { accept: "text/plain" } },
    406,
    "NotAcceptable",
    "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf",
  ],
  [
    "an unknown form of answer",
    `${maps}/a`,
    { headers: { accept: "application/json;as=Table;v=v9;g=meta.k8s.io" } },
    406,
    "NotAcceptable",
    "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf",
  ],
  [
    "an unknown dry run",
    `${maps}?dryRun=Foo`,
    post(map),
    422,
    "Invalid",
    'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Foo"]: supported values: "All"',
  ],
  [
    "an empty dry run",
    `${maps}/a?dryRun=`,
    { method: "DELETE" },
    422,
    "Invalid",
    'DeleteOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: [""]: supported values: "All"',
  ],
  [
    "an unknown validation",
    `${maps}/a?fieldValidation=Foo`,
    put({ name: "a" }),
    422,
    "Invalid",
    'UpdateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Foo": supported values: "", "Ignore", "Strict", "Warn"',
  ],
  [
    "an unprintable manager",
    `${maps}?fieldManager=a%09`,
    post(map),
    422,
    "Invalid",
    'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "a\\t": invalid character U+0009 (at position 1)',
  ],
  [
    "a grace that is no number",
    `${maps}/a?gracePeriodSeconds=x`,
    { method: "DELETE" },
    400,
    "BadRequest",
    'strconv.ParseInt: parsing "x": invalid syntax',
  ],
  [
    "deletion options of another kind",
    `${maps}/a`,
    { method: "DELETE", body: '{"gracePeriodSeconds":"x"}' },
    400,
    "BadRequest",
    "json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64",
  ],
  [
    "a merge patch that is a list",
    `${maps}/a`,
    patch("merge-patch+json", []),
    400,
    "BadRequest",
    "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}",
  ],
  [
    "a strategic patch that is a list",
    `${maps}/a`,
    patch("strategic-merge-patch+json", []),
    400,
    "BadRequest",
    "json: cannot unmarshal array into Go value of type map[string]interface {}",
  ],
  [
    "a JSON patch that is an object",
    `${maps}/a`,
    patch("json-patch+json", {}),
    400,
    "BadRequest",
    "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
  ],
  [
    "a JSON patch that does not fit",
    `${maps}/a`,
    patch("json-patch+json", [{ op: "remove", path: "/none" }]),
    422,
    "Invalid",
    "the server rejected our request due to an error in our request",
  ],
  [
    "a JSON patch without end",
    `${maps}/a`,
    patch(
      "json-patch+json",
      Array.from({ length: 10_001 }, () => ({ op: "test", path: "/kind", value: "ConfigMap" })),
    ),
    413,
    "RequestEntityTooLarge",
    "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
  ],
  [
    "a patch to an unknown field",
    `${deployments}/d?fieldValidation=Strict`,
    patch("strategic-merge-patch+json", { spec: { foo: 1 } }),
    422,
    "Invalid",
    ' "" is invalid: patch: Invalid value: "map[spec:map[foo:1]]": strict decoding error: unknown field "spec.foo"',
  ],
  [
    "a patch to another uid",
    `${deployments}/d`,
    patch("merge-patch+json", { metadata: { uid: "z" } }),
    422,
    "Invalid",
    'Deployment.apps "d" is invalid: metadata.uid: Invalid value: "z": field is immutable',
  ],
  [
    "a configuration of another kind",
    `${deployments}/d?fieldManager=m`,
    patch("apply-patch+yaml", { apiVersion: "v1", kind: "Pod" }),
    400,
    "BadRequest",
    "invalid object type: /v1, Kind=Pod",
  ],
  [
    "a configuration that is a word",
    `${deployments}/d?fieldManager=m`,
    patch("apply-patch+yaml", "hello"),
    400,
    "BadRequest",
    "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go value of type map[string]interface {}",
  ],
  [
    "a list as the metadata of one object",
    maps,
    { headers: { accept: "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io" } },
    406,
    "NotAcceptable",
    "you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)",
  ],
  [
    "an object as the metadata of a list",
    `${deployments}/d`,
    { headers: { accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io" } },
    406,
    "NotAcceptable",
    "you requested PartialObjectMetadataList, but the requested object is not a list (*apps.Deployment)",
  ],
  [
    "a version that is no number",
    `${maps}?resourceVersion=x`,
    {},
    400,
    "BadRequest",
    'invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax',
  ],
  [
    "a field that nobody can select",
    `${maps}?fieldSelector=data.x%3Da`,
    {},
    400,
    "BadRequest",
    '"data.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
  ],
  [
    "a field that a kind with fields of its own does not have",
    "/api/v1/nodes?fieldSelector=spec.foo%3Da",
    {},
    400,
    "BadRequest",
    "field label not supported: spec.foo",
  ],
  [
    "a label selector that begins with an operator",
    `${maps}?labelSelector=%3D%3D`,
    {},
    400,
    "BadRequest",
    "found '==', expected: !, identifier, or 'end of string'",
  ],
  [
    "a watch with a match and no state",
    `${maps}?watch=1&resourceVersionMatch=Exact`,
    {},
    422,
    "Invalid",
    'ListOptions.meta.k8s.io "" is invalid: [resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]',
  ],
  [
    "a timeout that is no duration",
    `${maps}?timeout=x`,
    {},
    400,
    "BadRequest",
    'invalid timeout specified in the request URL - time: invalid duration "x"',
  ],
  [
    "a long URL",
    `${maps}?labelSelector=${"a".repeat(20_000)}`,
    {},
    400,
    "BadRequest",
    `unable to parse requirement: <nil>: Invalid value: "${"a".repeat(20_000)}": name part must be no more than 63 bytes`,
  ],
  [
    "an unknown version of a group",
    "/apis/apps/v9",
    {},
    404,
    "NotFound",
    "the server could not find the requested resource",
  ],
];
for (const [what, path, call, code, reason, message] of cases) {
  test(`${what} is refused in upstream's words`, async () => {
    const { json } = await ask(path, call);
    const { details: _details, ...status } = json as { details?: unknown };
    const head = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure" };
    assert.deepEqual(status, { ...head, message, reason, code });
  });
}

test("the bytes of a refusal are Go's: what HTML could read as its own is escaped", async () => {
  const { text } = await ask(maps, post(""));
  assert.match(text, /\(\\u003cempty\\u003e\)","reason":"BadRequest","code":400\}\n$/);
});

test("preconditions of a deletion are told with what was found", async () => {
  const uid = ((await ask(`${maps}/a`)).json as { metadata: { uid: string } }).metadata.uid;
  const { code, json } = await ask(`${maps}/a`, { method: "DELETE", body: { preconditions: { uid: "x" } } });
  assert.equal(code, 409);
  assert.deepEqual((json as { details: unknown }).details, { name: "a", kind: "ConfigMap" });
  assert.equal(
    (json as { message: string }).message,
    `Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition (x) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
  );
});

test("a deletion whose body says dry run deletes nothing", async () => {
  await ask(maps, post({ ...map, metadata: { name: "kept" } }));
  const body = { kind: "DeleteOptions", apiVersion: "v1", dryRun: ["All"] };
  assert.equal((await ask(`${maps}/kept`, { method: "DELETE", body })).code, 200);
  assert.equal((await ask(`${maps}/kept`)).code, 200);
});

test("a path that is nowhere is answered as Go's servers do", async () => {
  for (const path of ["/foo", "/apis/foo", "/readyz/nothing"]) {
    const { code, text, headers } = await ask(path);
    assert.deepEqual([code, text, headers["content-type"]], [404, "404 page not found\n", "text/plain; charset=utf-8"]);
  }
  const { json } = await ask("/");
  assert.ok((json as { paths: readonly string[] }).paths.includes("/apis/apps/v1"));
});

test("YAML is read and written: the last of keys given twice counts, and is warned of", async () => {
  const twice = await ask(maps, yaml("metadata: {name: twice}\ndata:\n  a: b\n  a: c\nfoo: 1\n"));
  assert.equal(twice.code, 201);
  assert.deepEqual((twice.json as { data: unknown }).data, { a: "c" });
  assert.equal(
    twice.headers.warning,
    String.raw`299 - "line 4: key \"a\" already set in map", 299 - "unknown field \"foo\""`,
  );
  const { text, headers } = await ask(`${maps}/twice`, { headers: { accept: "application/yaml" } });
  assert.equal(headers["content-type"], "application/yaml");
  assert.match(text, /^apiVersion: v1\ndata:\n {2}a: c\nkind: ConfigMap\nmetadata:\n/);
  const missing = await ask(`${maps}/zz`, { headers: { accept: "application/yaml" } });
  assert.match(
    missing.text,
    /^apiVersion: v1\ncode: 404\ndetails:\n {2}kind: configmaps\n {2}name: zz\nkind: Status\n/,
  );
});

test("a list of any state is whole, whatever its limit; a negative limit is none", async () => {
  for (const name of ["l1", "l2", "l3"]) await ask(maps, post({ ...map, metadata: { name, labels: { l: "x" } } }));
  const count = async (query: string): Promise<number> =>
    ((await ask(`${maps}?labelSelector=l&${query}`)).json as { items: unknown[] }).items.length;
  assert.deepEqual(
    [await count("limit=1"), await count("limit=1&resourceVersion=0"), await count("limit=-1")],
    [1, 3, 3],
  );
});

test("events are selected by the names of their version, requests for certificates by their signer", async () => {
  for (const path of [
    "/apis/events.k8s.io/v1/events?fieldSelector=regarding.kind%3DPod,reportingController%3Dx",
    "/api/v1/events?fieldSelector=involvedObject.kind%3DPod,source%3Dx",
    "/apis/certificates.k8s.io/v1/certificatesigningrequests?fieldSelector=spec.signerName%3Dx",
  ]) {
    assert.equal((await ask(path)).code, 200, path);
  }
});

test("discovery and OpenAPI are kept by their hashes: 304 for the same, 301 from another", async () => {
  const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const { headers } = await ask("/apis", { headers: { accept } });
  const etag = headers.etag ?? "";
  assert.match(etag, /^"[0-9A-F]{128}"$/);
  const again = await ask("/apis", { headers: { accept, "if-none-match": etag } });
  assert.deepEqual([again.code, again.text], [304, ""]);
  const { paths } = (await ask("/openapi/v3")).json as { paths: Record<string, { serverRelativeURL: string }> };
  const url = paths["apis/apps/v1"]?.serverRelativeURL ?? "";
  const lasting = await ask(url);
  assert.match(lasting.headers["cache-control"] ?? "", /^public, .*immutable$/);
  assert.equal((await ask(url, { headers: { "if-none-match": lasting.headers.etag ?? "" } })).code, 304);
  const moved = await ask(url.replace(/hash=.*/, "hash=0"));
  assert.deepEqual([moved.code, moved.headers.location], [301, url]);
});

test("resources tell by a hash how they are stored, the same in all their versions", async () => {
  const hash = async (path: string, name: string): Promise<string | undefined> => {
    const { resources } = (await ask(path)).json as { resources: { name: string; storageVersionHash?: string }[] };
    return resources.find((one) => one.name === name)?.storageVersionHash;
  };
  assert.equal(await hash("/api/v1", "pods"), "xPOwRZ+Yhw8=");
  assert.equal(await hash("/apis/autoscaling/v1", "horizontalpodautoscalers"), "qwQve8ut294=");
  assert.equal(await hash("/apis/events.k8s.io/v1", "events"), await hash("/api/v1", "events"));
  assert.equal(await hash("/api/v1", "pods/status"), undefined);
});

test("curl gets JSON that people can read, a program gets it in one line", async () => {
  const curl = { headers: { "user-agent": "curl/8.14.1" } };
  const shown = await ask(`${maps}/a`, curl);
  assert.equal(shown.text, JSON.stringify(shown.json, undefined, 2));
  const refused = await ask(`${maps}/zz`, curl);
  assert.equal(refused.text, JSON.stringify(refused.json, undefined, 2));
  const plain = await ask(`${maps}/a`);
  assert.equal(plain.text.trim(), JSON.stringify(plain.json));
});
