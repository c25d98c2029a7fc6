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
        "kubernetes.io/service-account.name": "default",
        note: "hunter2",
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
    metadata: {
      name: "login",
      annotations: { "kubernetes.io/service-account.name": "default", note: "7 bytes, left out" },
    },
    data: { password: "7 bytes, left out" },
    stringData: {},
  });
});

test("withoutSecrets() leaves out variables and keys whose names speak of secrets, and what kubectl applied", () => {
  const httpGet = {
    port: 80,
    httpHeaders: [
      { name: "Authorization", value: "Bearer hunter2" },
      { name: "Accept", value: "text/plain" },
    ],
  };
  const container = {
    livenessProbe: { httpGet },
    env: [
      { name: "DB_PASSWORD", value: "hunter2" },
      { name: "github_token", value: "hunter2" },
      { name: "LOG_LEVEL", value: "debug" },
      { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "login", key: "password" } } },
    ],
  };
  const annotations = { "kubectl.kubernetes.io/last-applied-configuration": "hunter2", team: "a" };
  const deployment = {
    kind: "Deployment",
    metadata: { annotations },
    spec: { template: { spec: { containers: [container] } } },
  };
  assert.deepEqual(withoutSecrets(deployment), {
    kind: "Deployment",
    metadata: { annotations: { team: "a" } },
    spec: {
      template: {
        spec: {
          containers: [
            {
              livenessProbe: {
                httpGet: {
                  port: 80,
                  httpHeaders: [
                    { name: "Authorization", value: "14 bytes, left out" },
                    { name: "Accept", value: "text/plain" },
                  ],
                },
              },
              env: [
                { name: "DB_PASSWORD", value: "7 bytes, left out" },
                { name: "github_token", value: "7 bytes, left out" },
                { name: "LOG_LEVEL", value: "debug" },
                { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "login", key: "password" } } },
              ],
            },
          ],
        },
      },
    },
  });
  const map = {
    kind: "ConfigMap",
    data: { "api-key": "hunter2", mode: "fast" },
    binaryData: { token: Buffer.from("hunter2").toString("base64") },
  };
  assert.deepEqual(withoutSecrets(map), {
    kind: "ConfigMap",
    data: { "api-key": "7 bytes, left out", mode: "fast" },
    binaryData: { token: "7 bytes, left out" },
  });
});

test("withoutSecrets() leaves everything else as it is", () => {
  const map = { kind: "ConfigMap", data: { a: "b" } };
  assert.equal(withoutSecrets(map), map);
  const pod = {
    kind: "Pod",
    metadata: { name: "a" },
    spec: { containers: [{ name: "a", env: [{ name: "A", value: "b" }] }] },
  };
  assert.deepEqual(withoutSecrets(pod), pod);
});
