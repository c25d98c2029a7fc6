import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Container, EnvVarSource, Service } from "../../api/generated/types.ts";
import { containerEnvironment, EnvironmentError, expandVariables, fieldText, resourceText } from "./index.ts";
import { serviceVariables } from "./service-variables.ts";

const pod = {
  metadata: { name: "web", namespace: "shop", uid: "u1", labels: { app: "web", tier: "front" } },
  spec: { containers: [], serviceAccountName: "default" },
};
const fields = {
  pod,
  nodeName: "node-1",
  podIps: ["10.244.1.2", "fd00::2"],
  hostIps: ["192.168.60.11"],
  allocatable: { cpuMilli: 2000, memoryBytes: 1 << 30 },
};
const context = { ...fields, services: [], configMaps: new Map(), secrets: new Map() };

function service(
  name: string,
  namespace: string,
  clusterIP: string,
  ports: NonNullable<Service["spec"]>["ports"],
): Service {
  return { metadata: { name, namespace }, spec: { clusterIP, ...(ports === undefined ? {} : { ports }) } };
}

for (const [text, expanded] of [
  ["$(A)-$(B)", "1-$(B)"],
  ["$$(A)", "$(A)"],
  ["$$$(A)", "$1"],
  ["$(A", "$(A"],
  ["cost: 5$", "cost: 5$"],
  ["$A", "$A"],
] as const) {
  test(`expandVariables() makes ${expanded} of ${text}`, () => {
    assert.equal(
      expandVariables(text, (name) => (name === "A" ? "1" : undefined)),
      expanded,
    );
  });
}

test("expandVariables() leaves text without a dollar sign as it is and never fails", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const expanded = expandVariables(text, () => undefined);
      if (!text.includes("$$")) assert.equal(expanded, text);
    }),
  );
});

test("serviceVariables() gives upstream's names, Docker's links among them", () => {
  const web = service("my-web", "shop", "10.96.0.20", [{ name: "http-alt", port: 8080, protocol: "TCP" }]);
  assert.deepEqual(Object.fromEntries(serviceVariables([web])), {
    MY_WEB_SERVICE_HOST: "10.96.0.20",
    MY_WEB_SERVICE_PORT: "8080",
    MY_WEB_SERVICE_PORT_HTTP_ALT: "8080",
    MY_WEB_PORT: "tcp://10.96.0.20:8080",
    MY_WEB_PORT_8080_TCP: "tcp://10.96.0.20:8080",
    MY_WEB_PORT_8080_TCP_PROTO: "tcp",
    MY_WEB_PORT_8080_TCP_PORT: "8080",
    MY_WEB_PORT_8080_TCP_ADDR: "10.96.0.20",
  });
  assert.equal(serviceVariables([service("headless", "shop", "None", [{ port: 80 }])]).size, 0);
});

test("containerEnvironment() shows the namespace's Services and kubernetes, only the latter without service links", () => {
  const services = [
    service("db", "shop", "10.96.0.30", [{ port: 5432 }]),
    service("db", "other", "10.96.0.31", [{ port: 5432 }]),
    service("kubernetes", "default", "10.96.0.1", [{ port: 443 }]),
  ];
  const container = { name: "main" };
  const all = containerEnvironment(container, { ...context, services });
  assert.equal(all.get("DB_SERVICE_HOST"), "10.96.0.30");
  assert.equal(all.get("KUBERNETES_SERVICE_HOST"), "10.96.0.1");
  const unlinked = { ...pod, spec: { ...pod.spec, enableServiceLinks: false } };
  const few = containerEnvironment(container, { ...context, services, pod: unlinked });
  assert.equal(few.get("DB_SERVICE_HOST"), undefined);
  assert.equal(few.get("KUBERNETES_SERVICE_PORT"), "443");
});

test("containerEnvironment() reads every source, later ones over earlier ones", () => {
  const container: Container = {
    name: "main",
    resources: { limits: { memory: "64Mi" } },
    envFrom: [{ prefix: "C_", configMapRef: { name: "cm" } }, { secretRef: { name: "s" } }],
    env: [
      { name: "KEY", value: "over" },
      { name: "JOINED", value: "$(KEY)/$(C_mode)/$(LATER)" },
      { name: "LATER", value: "x" },
      { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
      { name: "MEMORY", valueFrom: { resourceFieldRef: { resource: "limits.memory", divisor: "1Mi" } } },
      { name: "OPTIONAL", valueFrom: { secretKeyRef: { name: "none", key: "k", optional: true } } },
    ],
  };
  const variables = containerEnvironment(container, {
    ...context,
    configMaps: new Map([["cm", { data: { mode: "fast" } }]]),
    secrets: new Map([["s", { data: { KEY: Buffer.from("secret").toString("base64") } }]]),
  });
  assert.deepEqual(Object.fromEntries(variables), {
    C_mode: "fast",
    KEY: "over",
    JOINED: "over/fast/$(LATER)",
    LATER: "x",
    IP: "10.244.1.2",
    MEMORY: "64",
  });
});

for (const [what, env, message] of [
  ["ConfigMap", { configMapKeyRef: { name: "cm", key: "k" } }, 'configmap "cm" not found'],
  ["Secret", { secretKeyRef: { name: "s", key: "k" } }, 'secret "s" not found'],
] as const) {
  test(`containerEnvironment() refuses a missing ${what} in upstream's words`, () => {
    const container: Container = { name: "main", env: [{ name: "A", valueFrom: env }] };
    assert.throws(() => containerEnvironment(container, context), new EnvironmentError(message));
  });
}

for (const key of ["k", "constructor"]) {
  test(`containerEnvironment() refuses a missing key ${key} in upstream's words`, () => {
    const reading = (valueFrom: EnvVarSource): Container => ({ name: "main", env: [{ name: "A", valueFrom }] });
    const present = {
      ...context,
      configMaps: new Map([["cm", { data: {} }]]),
      secrets: new Map([["s", { data: {} }]]),
    };
    assert.throws(
      () => containerEnvironment(reading({ configMapKeyRef: { name: "cm", key } }), present),
      new EnvironmentError(`couldn't find key ${key} in ConfigMap shop/cm`),
    );
    assert.throws(
      () => containerEnvironment(reading({ secretKeyRef: { name: "s", key } }), present),
      new EnvironmentError(`couldn't find key ${key} in Secret shop/s`),
    );
  });
}

for (const [path, text] of [
  ["metadata.labels['app']", "web"],
  ["metadata.labels['none']", ""],
  ["metadata.labels['constructor']", ""],
  ["metadata.labels", 'app="web"\ntier="front"'],
  ["spec.nodeName", "node-1"],
  ["status.podIPs", "10.244.1.2,fd00::2"],
  ["status.hostIP", "192.168.60.11"],
] as const) {
  test(`fieldText() of ${path}`, () => assert.equal(fieldText(path, fields), text));
}

for (const [resource, divisor, text] of [
  ["limits.cpu", undefined, "1"],
  ["limits.cpu", "1m", "250"],
  ["requests.cpu", "1m", "0"],
  ["limits.memory", undefined, String(1 << 30)],
  ["limits.memory", "1Mi", "1024"],
] as const) {
  test(`resourceText() of ${resource} by ${divisor ?? "1"}`, () => {
    const selector = divisor === undefined ? { resource } : { resource, divisor };
    assert.equal(resourceText(selector, { name: "main", resources: { limits: { cpu: "250m" } } }, fields), text);
  });
}
