import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { claim, controllerReference, isSame, templateHash } from "./index.ts";
import { resources } from "../../api/resources.ts";

test("templateHash() does not depend on the order of fields, nor on what the API takes for absent", () => {
  const hash = templateHash({ metadata: { labels: { a: "1", b: "2" } }, spec: { containers: [], volumes: null } });
  assert.equal(templateHash({ spec: {}, metadata: { labels: { b: "2", a: "1" } } }), hash);
  assert.notEqual(templateHash({ spec: {}, metadata: { labels: { b: "2", a: "2" } } }), hash);
});

test("templateHash() gives another name after a collision, of upstream's alphabet", () => {
  const template = { spec: { containers: [{ name: "web", image: "nginx" }] } };
  const hashes = [0, 1, 2].map((collisions) => templateHash(template, collisions));
  assert.equal(new Set(hashes).size, 3);
  for (const hash of hashes) assert.match(hash, /^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/);
});

test("isSame() takes absent, null and empty lists for the same, an empty object not", () => {
  assert.ok(isSame({ a: undefined, b: [], c: 1 }, { c: 1, d: null }));
  assert.ok(!isSame({ emptyDir: {} }, {}));
  assert.ok(!isSame([1, 2], [2, 1]));
  assert.ok(!isSame({ a: "1" }, { a: 1 }));
  assert.ok(!isSame({}, { constructor: "a label like any other" }));
});

test("isSame() holds for any value and its copy, and is symmetric", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => isSame(value, structuredClone(value))));
  fc.assert(fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => isSame(a, b) === isSame(b, a)));
});

const owner = { metadata: { name: "web", uid: "owner" } };
const reference = controllerReference(resources.replicaSets, owner);

function candidate(name: string, rest: { matches?: boolean; owner?: "own" | "foreign" | "none"; isLeaving?: boolean }) {
  const owners = { own: [reference], foreign: [{ ...reference, uid: "other" }], none: [] };
  return {
    metadata: {
      name,
      labels: { app: rest.matches === false ? "other" : "web" },
      ownerReferences: owners[rest.owner ?? "own"],
      ...(rest.isLeaving === true ? { deletionTimestamp: "2026-11-20T08:00:00Z" } : {}),
    },
  };
}

test("claim() keeps its own, adopts orphans that match, releases what no longer does, leaves the rest", () => {
  const candidates = [
    candidate("own", {}),
    candidate("strayed", { matches: false }),
    candidate("orphan", { owner: "none" }),
    candidate("leaving orphan", { owner: "none", isLeaving: true }),
    candidate("unrelated", { owner: "none", matches: false }),
    candidate("foreign", { owner: "foreign" }),
  ];
  const names = (objects: readonly (typeof candidates)[number][]): readonly string[] =>
    objects.map(({ metadata }) => metadata.name);
  const claims = claim(candidates, { owner, matches: ({ metadata }) => metadata.labels.app === "web" });
  assert.deepEqual(names(claims.claimed), ["own", "orphan"]);
  assert.deepEqual(names(claims.adopt), ["orphan"]);
  assert.deepEqual(names(claims.release), ["strayed"]);
});

test("claim() of an owner that is being deleted adopts and releases nothing", () => {
  const leaving = { metadata: { ...owner.metadata, deletionTimestamp: "2026-11-20T08:00:00Z" } };
  const candidates = [candidate("orphan", { owner: "none" }), candidate("strayed", { matches: false })];
  const claims = claim(candidates, { owner: leaving, matches: ({ metadata }) => metadata.labels.app === "web" });
  assert.deepEqual(claims, { claimed: [], adopt: [], release: [] });
});
