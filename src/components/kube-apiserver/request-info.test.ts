import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { requestInfoOf } from "./request-info.ts";

const cases: readonly (readonly [method: string, url: string, expected: string])[] = [
  ["GET", "/api/v1/pods", "list /v1 pods"],
  ["GET", "/api/v1/pods?watch=true", "watch /v1 pods"],
  ["GET", "/api/v1/watch/namespaces/default/pods", "watch /v1 pods in default"],
  ["GET", "/api/v1/namespaces/default/pods/web", "get /v1 pods web in default"],
  ["PATCH", "/api/v1/namespaces/default/pods/web/status", "patch /v1 pods/status web in default"],
  ["POST", "/api/v1/namespaces/default/pods/web/exec", "create /v1 pods/exec web in default"],
  ["POST", "/api/v1/namespaces", "create /v1 namespaces"],
  ["GET", "/api/v1/namespaces/shop", "get /v1 namespaces shop in shop"],
  ["PUT", "/api/v1/namespaces/shop/finalize", "update /v1 namespaces/finalize shop in shop"],
  ["DELETE", "/apis/apps/v1/namespaces/shop/deployments", "deletecollection apps/v1 deployments in shop"],
  ["DELETE", "/apis/apps/v1/namespaces/shop/deployments/web", "delete apps/v1 deployments web in shop"],
  ["GET", "/apis/apps/v1", "get (none)"],
  ["GET", "/healthz", "get (none)"],
];

for (const [method, url, expected] of cases) {
  test(`requestInfoOf() reads ${method} ${url}`, () => {
    const { isResource, verb, group, version, resource, subresource, namespace, name } = requestInfoOf(method, url);
    const what = subresource === "" ? resource : `${resource}/${subresource}`;
    const place = namespace === "" ? "" : ` in ${namespace}`;
    const found = isResource ? `${group}/${version} ${what}${name === "" ? "" : ` ${name}`}${place}` : "(none)";
    assert.equal(`${verb} ${found}`, expected);
  });
}

test("requestInfoOf() keeps the path behind a proxy as it was sent", () => {
  const rest = (url: string): string => requestInfoOf("GET", url).rest;
  assert.equal(rest("/api/v1/namespaces/default/services/http:web:80/proxy/a%2Fb/c//d?x=1"), "/a%2Fb/c//d");
  assert.equal(rest("/api/v1/nodes/node-1/proxy"), "");
  assert.equal(rest("/api/v1/nodes/node-1/proxy/"), "/");
});

test("requestInfoOf() reads any text without a crash", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string(), (method, rest) => {
      for (const prefix of ["", "/api/v1/", "/apis/g/v/namespaces/", "/api/v1/nodes/n/proxy/"]) {
        assert.equal(typeof requestInfoOf(method, prefix + rest).verb, "string");
      }
    }),
  );
});
