import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch, PatchError } from "./index.ts";
import type { PatchSchema } from "./index.ts";

const ports: PatchSchema = { fieldOf: () => undefined };
/** `containers` merges by name, `finalizers` item by item, `strategy` as any object, `whole` not at all. */
const schema: PatchSchema = {
  fieldOf(name) {
    switch (name) {
      case "containers":
        return { isMerged: true, isReplaced: false, mergeKey: "name", schema: ports };
      case "finalizers":
        return { isMerged: true, isReplaced: false };
      case "whole":
        return { isMerged: false, isReplaced: true };
      default:
        return undefined;
    }
  },
};

type Case = readonly [title: string, target: unknown, patch: unknown, result: unknown];

const strategicCases: readonly Case[] = [
  ["null removes a field", { a: 1, b: 2 }, { a: null }, { b: 2 }],
  ["objects merge", { o: { a: 1 } }, { o: { b: 2 } }, { o: { a: 1, b: 2 } }],
  ["a list without a rule is replaced", { l: [1, 2] }, { l: [3] }, { l: [3] }],
  [
    "a keyed list merges",
    { containers: [{ name: "a", image: "1" }, { name: "b" }] },
    { containers: [{ name: "c" }, { name: "a", image: "2" }] },
    { containers: [{ name: "c" }, { name: "a", image: "2" }, { name: "b" }] },
  ],
  [
    "an item is deleted by its key",
    { containers: [{ name: "a" }, { name: "b" }] },
    { containers: [{ $patch: "delete", name: "a" }] },
    { containers: [{ name: "b" }] },
  ],
  [
    "a list is replaced on demand",
    { containers: [{ name: "a" }] },
    { containers: [{ name: "z" }, { $patch: "replace" }] },
    { containers: [{ name: "z" }] },
  ],
  ["an object is replaced on demand", { o: { a: 1 } }, { o: { b: 2, $patch: "replace" } }, { o: { b: 2 } }],
  ["an object is emptied on demand", { o: { a: 1 } }, { o: { $patch: "delete" } }, { o: {} }],
  ["an object that replaces by rule", { whole: { a: 1 } }, { whole: { b: 2 } }, { whole: { b: 2 } }],
  [
    "scalars join a merged list once",
    { finalizers: ["a", "b"] },
    { finalizers: ["b", "c"] },
    { finalizers: ["a", "b", "c"] },
  ],
  [
    "scalars leave a merged list",
    { finalizers: ["a", "b"] },
    { "$deleteFromPrimitiveList/finalizers": ["a"] },
    { finalizers: ["b"] },
  ],
  [
    "retained keys drop the others",
    { strategy: { type: "RollingUpdate", rollingUpdate: {} } },
    { strategy: { type: "Recreate", $retainKeys: ["type"] } },
    { strategy: { type: "Recreate" } },
  ],
  [
    "new items come before those that only the server has",
    { containers: [{ name: "a" }, { name: "b" }] },
    { containers: [{ name: "new", image: "n" }] },
    { containers: [{ name: "new", image: "n" }, { name: "a" }, { name: "b" }] },
  ],
  [
    "items of the patch keep its order, the server's own item its place before what came after it",
    { containers: [{ name: "a" }, { name: "b" }, { name: "c" }] },
    { containers: [{ name: "c" }, { name: "a" }] },
    { containers: [{ name: "b" }, { name: "c" }, { name: "a" }] },
  ],
  [
    "the order of items is set, the server's own item keeps its place",
    { containers: [{ name: "a" }, { name: "server" }, { name: "b" }] },
    { "$setElementOrder/containers": [{ name: "b" }, { name: "a" }], containers: [{ name: "b", x: 1 }] },
    { containers: [{ name: "server" }, { name: "b", x: 1 }, { name: "a" }] },
  ],
];

test("applyStrategicMergePatch() follows the directives", () => {
  for (const [title, target, patch, result] of strategicCases) {
    const before = structuredClone(target);
    assert.deepEqual(applyStrategicMergePatch(target, patch, schema), result, title);
    assert.deepEqual(target, before, `${title}: the target is untouched`);
  }
});

test("applyStrategicMergePatch() refuses directives without sense", () => {
  const refused: readonly unknown[] = [
    { $patch: "nonsense" },
    { containers: [{ image: "no key" }] },
    { $retainKeys: "a" },
    { "$setElementOrder/containers": [{ name: "b" }], containers: [{ name: "a" }] },
    [],
  ];
  for (const patch of refused) assert.throws(() => applyStrategicMergePatch({}, patch, schema), PatchError);
});

/** The examples of RFC 7386, appendix A. */
const mergeCases: readonly (readonly [unknown, unknown, unknown])[] = [
  [{ a: "b" }, { a: "c" }, { a: "c" }],
  [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  [{ a: "b" }, { a: null }, {}],
  [{ a: ["b"] }, { a: "c" }, { a: "c" }],
  [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  [["a", "b"], ["c"], ["c"]],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

test("applyMergePatch() gives the results of RFC 7386", () => {
  for (const [target, patch, result] of mergeCases) assert.deepEqual(applyMergePatch(target, patch), result);
});

const jsonCases: readonly (readonly [unknown, readonly unknown[], unknown])[] = [
  [{ a: 1 }, [{ op: "add", path: "/b", value: 2 }], { a: 1, b: 2 }],
  [{ l: [1, 3] }, [{ op: "add", path: "/l/1", value: 2 }], { l: [1, 2, 3] }],
  [{ l: [1] }, [{ op: "add", path: "/l/-", value: 2 }], { l: [1, 2] }],
  [{ "a/b~": 1 }, [{ op: "remove", path: "/a~1b~0" }], {}],
  [{ a: 1 }, [{ op: "replace", path: "/a", value: null }], { a: null }],
  [{ a: 1 }, [{ op: "move", from: "/a", path: "/b" }], { b: 1 }],
  [{ a: { x: 1 } }, [{ op: "copy", from: "/a", path: "/b" }], { a: { x: 1 }, b: { x: 1 } }],
  [{ a: 1 }, [{ op: "test", path: "/a", value: 1 }], { a: 1 }],
  // As upstream's library: what an object does not have yet is added.
  [{ a: 1 }, [{ op: "replace", path: "/b", value: 2 }], { a: 1, b: 2 }],
];

test("applyJsonPatch() follows RFC 6902", () => {
  for (const [target, patch, result] of jsonCases) assert.deepEqual(applyJsonPatch(target, patch), result);
});

test("applyJsonPatch() refuses what does not fit, and copies that would explode", () => {
  const refused: readonly unknown[] = [
    [{ op: "test", path: "/a", value: 2 }],
    [{ op: "remove", path: "/none" }],
    [{ op: "replace", path: "/none/x", value: 1 }],
    [{ op: "add", path: "/l/9", value: 1 }],
    [{ op: "add", path: "/a/b", value: 1 }],
    [{ op: "move", from: "/o", path: "/o/x" }],
    [{ op: "fly", path: "/a" }],
    [{ op: "add", path: "/a" }],
    { op: "add" },
    Array.from({ length: 64 }, (_, index) => ({ op: "copy", from: "", path: `/c${index}` })),
  ];
  for (const patch of refused) assert.throws(() => applyJsonPatch({ a: 1, l: [], o: {} }, patch), PatchError);
});

test("patches of any shape end in a value or a PatchError, and pollute no prototype", () => {
  const operation = fc.record({
    op: fc.constantFrom("add", "remove", "replace", "move", "copy", "test"),
    path: fc.constantFrom("", "/a", "/a/0", "/__proto__/x", "/l/-", "/l/0", "/constructor/prototype/x"),
    from: fc.constantFrom("", "/a", "/l"),
    value: fc.jsonValue(),
  });
  const attempt = (apply: () => unknown): void => {
    try {
      apply();
    } catch (error) {
      assert.ok(error instanceof PatchError, String(error));
    }
    assert.equal(Object.hasOwn(Object.prototype, "x"), false);
  };
  fc.assert(
    fc.property(fc.jsonValue(), fc.array(operation), (target, patch) => attempt(() => applyJsonPatch(target, patch))),
  );
  const hostile = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      fc.jsonValue({ maxDepth: 1 }),
      fc.dictionary(
        fc.constantFrom(
          "containers",
          "finalizers",
          "$patch",
          "$retainKeys",
          "$setElementOrder/containers",
          "name",
          "__proto__",
          "$deleteFromPrimitiveList/finalizers",
        ),
        tie("node"),
      ),
      fc.array(tie("node")),
    ),
  })).node;
  fc.assert(
    fc.property(fc.jsonValue(), hostile, (target, patch) =>
      attempt(() => applyStrategicMergePatch(target, patch, schema)),
    ),
  );
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (target, patch) => attempt(() => applyMergePatch(target, patch))),
  );
});
