import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { indentJson, wantsPretty } from "./pretty.ts";

test("indentJson() indents what JSON.stringify() writes as that does itself", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.equal(indentJson(JSON.stringify(value)), JSON.stringify(value, undefined, 2));
    }),
  );
});

test("indentJson() keeps a number that no program here can hold", () => {
  assert.equal(indentJson('{"a":9223372036854775807}\n'), '{\n  "a": 9223372036854775807\n}');
});

test("people get indented JSON, programs do not, unless they say otherwise", () => {
  const asked = (url: string, headers: Readonly<Record<string, string>>): boolean => wantsPretty({ url, headers });
  const agent = (name: string): Readonly<Record<string, string>> => ({ "user-agent": name });
  assert.equal(asked("/api", {}), false);
  assert.equal(asked("/api", agent("kubectl/v1.35.0")), false);
  for (const name of ["curl/8.14.1", "Wget/1.25", "Mozilla/5.0 (X11)"]) assert.equal(asked("/api", agent(name)), true);
  assert.equal(asked("/api?pretty=false", agent("curl/8.14.1")), false);
  assert.equal(asked("/api?limit=1&pretty=1", {}), true);
  assert.equal(asked("/api?pretty=x", {}), false);
  assert.equal(asked("/api", { accept: "application/json;pretty=1" }), true);
});
