import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { closestName, suggestField, suggestQuotes } from "./index.ts";
import type { HintType } from "./index.ts";
import { editDistance } from "./edit-distance.ts";

const scalar = { kind: "scalar" } as const;
const map = { kind: "map", value: scalar } as const;
const object = (type: string): HintType => ({ kind: "object", type });
const list = (type: string): HintType => ({ kind: "list", item: object(type) });
const types: Readonly<Record<string, Readonly<Record<string, HintType>>>> = {
  Service: { apiVersion: scalar, kind: scalar, metadata: object("Meta"), spec: object("ServiceSpec") },
  Meta: { name: scalar, namespace: scalar, labels: map, annotations: map },
  ServiceSpec: { ports: list("Port"), selector: map, type: scalar, clusterIP: scalar },
  Port: { name: scalar, port: scalar, targetPort: scalar, nodePort: scalar },
  Ingress: { metadata: object("Meta"), spec: object("IngressSpec") },
  IngressSpec: { rules: list("Rule") },
  Rule: { host: scalar, http: object("Http") },
  Http: { paths: list("Path") },
  Path: { path: scalar, backend: object("Backend") },
  Backend: { serviceName: scalar, servicePort: scalar },
};

function fieldsOf(typeName: string): ReadonlyMap<string, { readonly type: HintType }> {
  return new Map(Object.entries(types[typeName] ?? {}).map(([name, type]) => [name, { type }]));
}

function hint(typeName: string, path: string, value: unknown): string | undefined {
  return suggestField({ typeName, path, value, fieldsOf });
}

describe("suggestField()", () => {
  test("finds the field that was meant", () => {
    const value = { spec: { rules: [{ http: { paths: [{ backend: { serviceNme: "watch", servicePort: 80 } }] } }] } };
    const path = "spec.rules[0].http.paths[0].backend.serviceNme";
    assert.equal(hint("Ingress", path, value), 'did you mean "serviceName"?');
    assert.equal(hint("Service", "metdata", { metdata: {} }), 'did you mean "metadata"?');
    assert.equal(hint("Service", "spec.clusterIp", { spec: { clusterIp: "None" } }), 'did you mean "clusterIP"?');
  });

  test("does not offer a field that is there already", () => {
    assert.equal(hint("Service", "metadata.nam", { metadata: { name: "a", nam: "b" } }), undefined);
  });

  test("sees a list entry's field that lost its indentation", () => {
    const value = { spec: { ports: [{ name: "http" }], port: 80, selector: null, app: "web" } };
    assert.equal(
      hint("Service", "spec.port", value),
      'it is a field of the entries of "spec.ports": indent it further',
    );
  });

  test("sees a map's entry that lost its indentation", () => {
    const value = { spec: { ports: [{ name: "http", port: 80 }], selector: null, app: "web" } };
    assert.equal(
      hint("Service", "spec.app", value),
      '"spec.selector" is empty: indent "app" further if it belongs to it',
    );
  });

  test("sees an object's field that lost its indentation", () => {
    const value = { metadata: null, name: "web", spec: {} };
    assert.equal(hint("Service", "name", value), 'it is a field of "metadata": indent it further');
  });

  test("sees a field that is too deep", () => {
    const value = { metadata: { name: "web", spec: {} } };
    assert.equal(
      hint("Service", "metadata.spec", value),
      'it is a field of the object itself, not of "metadata": indent it less',
    );
    const inPort = { spec: { ports: [{ port: 80, selector: { app: "web" } }] } };
    assert.equal(
      hint("Service", "spec.ports[0].selector", inPort),
      'it is a field of "spec", not of "spec.ports[0]": indent it less',
    );
  });

  test("says nothing about what resembles nothing", () => {
    assert.equal(hint("Service", "spec.frobnicate", { spec: { frobnicate: true } }), undefined);
    assert.equal(hint("Service", "spec.selector.x.y", { spec: { selector: { x: { y: 1 } } } }), undefined);
  });

  test("ends for any path and value", () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), (path, value) => {
        hint("Service", path, value);
      }),
    );
  });
});

describe("suggestQuotes()", () => {
  test("names the mark and the value without it", () => {
    assert.equal(
      suggestQuotes("”web”"),
      'it contains the typographic quotation mark ”, which is an ordinary character here: write "web"',
    );
    assert.equal(suggestQuotes("web"), undefined);
  });
});

describe("closestName()", () => {
  test("takes swapped letters as one slip and prefers the nearest", () => {
    assert.equal(editDistance("serivce", "service"), 1);
    assert.equal(closestName("serivces", ["service", "services"]), "services");
    assert.equal(closestName("x", ["port"]), undefined);
  });

  test("the distance is symmetric, and zero only for equal names", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (left, right) => {
        assert.equal(editDistance(left, right), editDistance(right, left));
        assert.equal(editDistance(left, right) === 0, left === right);
      }),
    );
  });
});
