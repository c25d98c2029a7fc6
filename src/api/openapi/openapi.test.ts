import assert from "node:assert/strict";
import { test } from "node:test";
import { readFields } from "../../lib/protobuf/index.ts";
import { builtinResources } from "../builtin.ts";
import { fieldsOf } from "../schema.ts";
import { createOpenApi } from "./index.ts";
import { fieldValues } from "./values.ts";

const openApi = createOpenApi({
  definitions: builtinResources().definitions,
  descriptions: { ServicePort: { "": "A port.", port: "Its number." } },
  version: "v1.35.0",
});

function json(body: Uint8Array | undefined): unknown {
  return JSON.parse(Buffer.from(body ?? []).toString());
}

interface Node {
  readonly [key: string]: Node;
}

test("every reference of every document leads to a schema", () => {
  const { paths } = json(openApi.index().body) as Node;
  const documents: Node[] = [json(openApi.v2().body) as Node];
  for (const path of Object.keys(paths ?? {})) documents.push(json(openApi.v3(path)?.body) as Node);
  assert.ok(documents.length > 10);
  for (const document of documents) {
    const known = new Set([
      ...Object.keys(document["definitions"] ?? {}).map((name) => `#/definitions/${name}`),
      ...Object.keys(document["components"]?.["schemas"] ?? {}).map((name) => `#/components/schemas/${name}`),
    ]);
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
      ([, reference = ""]) => reference,
    );
    assert.ok(references.length > 10);
    assert.deepEqual(
      references.filter((reference) => !known.has(reference)),
      [],
    );
  }
});

test("the v3 document of core says what kubectl asks of it", () => {
  const document = json(openApi.v3("api/v1")?.body) as Node;
  const patch = document["paths"]?.["/api/v1/namespaces/{namespace}/services/{name}"]?.["patch"];
  assert.deepEqual(patch?.["x-kubernetes-group-version-kind"], { group: "", version: "v1", kind: "Service" });
  assert.match(JSON.stringify(patch?.["parameters"]), /"name":"fieldValidation"/);
  const spec = document["components"]?.["schemas"]?.["io.k8s.api.core.v1.ServiceSpec"]?.["properties"];
  assert.deepEqual(spec?.["ports"]?.["x-kubernetes-patch-merge-key"], "port");
  const port = document["components"]?.["schemas"]?.["io.k8s.api.core.v1.ServicePort"];
  assert.deepEqual(port?.["properties"]?.["port"]?.["description"], "Its number.");
  // A field without a sentence of its own says what its type does.
  assert.deepEqual(spec?.["ports"]?.["description"], "A port.");
  assert.equal(openApi.v3("apis/none/v1"), undefined);
});

test("the protocol buffer holds the definitions of the JSON", () => {
  const names = (json(openApi.v2().body) as Node)["definitions"] ?? {};
  const definitions = readFields(openApi.v2Protobuf().body).find(({ number }) => number === 9);
  const written = readFields(definitions?.bytes ?? new Uint8Array(0)).map(({ bytes }) =>
    Buffer.from(readFields(bytes)[0]?.bytes ?? []).toString(),
  );
  assert.deepEqual(written, Object.keys(names));
});

test("an address changes with its document's content", () => {
  const other = createOpenApi({ definitions: builtinResources().definitions, descriptions: {}, version: "v1.36.0" });
  assert.notDeepEqual(other.index().hash, openApi.index().hash);
});

test("every field with values of its own is one that its type has, and explain shows them", () => {
  for (const [typeName, fields] of Object.entries(fieldValues)) {
    for (const name of Object.keys(fields)) assert.ok(fieldsOf(typeName).has(name), `${typeName}.${name}`);
  }
  const document = json(openApi.v3("api/v1")?.body) as {
    components: { schemas: Record<string, { properties: Record<string, { enum?: unknown; default?: unknown }> }> };
  };
  const port = document.components.schemas["io.k8s.api.core.v1.ContainerPort"]?.properties["protocol"];
  assert.deepEqual([port?.enum, port?.default], [["SCTP", "TCP", "UDP"], "TCP"]);
});
