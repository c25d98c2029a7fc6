import assert from "node:assert/strict";
import { test } from "node:test";
import { tagWarnings } from "./catalog-source.ts";
import { parseImageReference } from "./reference.ts";

test("tagWarnings() honours latest and what shortens the version, and names what stands for any other tag", () => {
  const nginx = { version: "1.22.1", title: "nginx" };
  const warnings = (name: string) => tagWarnings(parseImageReference(name), nginx);
  for (const name of ["nginx", "nginx:latest", "nginx:1.22.1", "nginx:1.22", "nginx:1"]) {
    assert.deepEqual(warnings(name), [], name);
  }
  assert.deepEqual(warnings("nginx:1.27"), ["nginx:1.27 stands for nginx 1.22 of this machine"]);
  assert.deepEqual(warnings("nginx:1.2"), ["nginx:1.2 stands for nginx 1.22 of this machine"]);
  assert.deepEqual(warnings("nginx:1.22-alpine"), ["nginx:1.22-alpine stands for nginx 1.22 of this machine"]);
  const digest = `sha256:${"0".repeat(64)}`;
  assert.deepEqual(warnings(`nginx@${digest}`), [`nginx@${digest} stands for nginx 1.22 of this machine`]);
  assert.deepEqual(tagWarnings(parseImageReference("host:any"), { version: undefined, title: "host" }), []);
});
