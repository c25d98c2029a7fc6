import assert from "node:assert/strict";
import { test } from "node:test";
import { withoutSecrets } from "./redaction.ts";

test("withoutSecrets() leaves names and sizes of a Secret, and no value anywhere", () => {
  const value = Buffer.from("hunter2").toString("base64");
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: "login",
      annotations: {
        "kubectl.kubernetes.io/last-applied-configuration": `{"data":{"password":"${value}"}}`,
        team: "a",
      },
    },
    data: { password: value },
    stringData: { password: "hunter2" },
  };
  const shown = withoutSecrets(secret);
  assert.doesNotMatch(JSON.stringify(shown), new RegExp(`hunter2|${value}`));
  assert.deepEqual(shown, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "login", annotations: { team: "a" } },
    data: { password: "7 bytes, left out" },
    stringData: {},
  });
});

test("withoutSecrets() leaves other kinds alone", () => {
  const map = { kind: "ConfigMap", data: { a: "b" } };
  assert.equal(withoutSecrets(map), map);
});
