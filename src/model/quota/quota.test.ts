import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Container, PersistentVolumeClaim, Pod, ResourceQuota } from "../../api/generated/types.ts";
import type { KubernetesObject } from "../../api/object.ts";
import { checkQuota, quotaStatus } from "./index.ts";

const container = (
  requests: Readonly<Record<string, string>>,
  limits: Readonly<Record<string, string>> = {},
): Container => ({
  name: "c",
  resources: { requests, limits },
});
const pod = (containers: readonly Container[], more: Partial<NonNullable<Pod["spec"]>> = {}): Pod => ({
  spec: { containers, ...more },
});

function quota(hard: Readonly<Record<string, string>>, used: Readonly<Record<string, string>> = {}): ResourceQuota {
  const zeros = Object.fromEntries(Object.keys(hard).map((key) => [key, "0"]));
  return { metadata: { name: "q" }, spec: { hard }, status: { hard, used: { ...zeros, ...used } } };
}

const usages: readonly (readonly [string, string, KubernetesObject, Readonly<Record<string, string>>])[] = [
  [
    "a pod's containers together",
    "pods",
    pod([container({ cpu: "100m", memory: "64Mi" }), container({ cpu: "200m" })]),
    { pods: "1", cpu: "300m", "requests.cpu": "300m", "requests.memory": "64Mi", "limits.cpu": "0" },
  ],
  [
    "an init container that needs more than what runs",
    "pods",
    pod([container({ cpu: "100m" })], { initContainers: [container({ cpu: "1" })] }),
    { "requests.cpu": "1" },
  ],
  [
    "sidecars beside the containers",
    "pods",
    pod([container({ cpu: "100m" })], { initContainers: [{ ...container({ cpu: "1" }), restartPolicy: "Always" }] }),
    { "requests.cpu": "1100m" },
  ],
  [
    "a pod that has ended",
    "pods",
    { ...pod([container({ cpu: "1" })]), status: { phase: "Succeeded" } } as Pod,
    { pods: "0", cpu: "0", "count/pods": "1" },
  ],
  ["a device", "pods", pod([container({ "example.com/gpu": "2" })]), { "requests.example.com/gpu": "2" }],
  [
    "a load balancer",
    "services",
    { spec: { type: "LoadBalancer", ports: [{ port: 1 }, { port: 2 }] } } as KubernetesObject,
    { services: "1", "services.loadbalancers": "1", "services.nodeports": "2" },
  ],
  [
    "a claim of a class",
    "persistentvolumeclaims",
    { spec: { storageClassName: "fast", resources: { requests: { storage: "1Gi" } } } } as KubernetesObject,
    {
      persistentvolumeclaims: "1",
      "requests.storage": "1Gi",
      "fast.storageclass.storage.k8s.io/requests.storage": "1Gi",
    },
  ],
  ["an object of any kind", "deployments.apps", {}, { "count/deployments.apps": "1" }],
];
for (const [name, resource, object, expected] of usages) {
  test(`quotaStatus() counts ${name}`, () => {
    const hard = Object.fromEntries(Object.keys(expected).map((key) => [key, "100"]));
    const { used } = quotaStatus(quota(hard), (asked) => (asked === resource ? [object] : []));
    assert.deepEqual(used, expected);
  });
}

test("checkQuota() refuses while the quota was never counted", () => {
  const uncounted: ResourceQuota = { metadata: { name: "q" }, spec: { hard: { pods: "1" } } };
  assert.deepEqual(checkQuota(uncounted, { resource: "pods", object: pod([]), old: undefined }), {
    refusal: "status unknown for quota: q, resources: pods",
  });
});

test("checkQuota() names what each container leaves unsaid", () => {
  const strict = quota({ "limits.memory": "1Gi", "requests.cpu": "1" });
  const silent = pod([{ name: "a" }, { ...container({ cpu: "1m" }), name: "b" }]);
  assert.deepEqual(checkQuota(strict, { resource: "pods", object: silent, old: undefined }), {
    refusal: "failed quota: q: must specify limits.memory for: a,b; requests.cpu for: a",
  });
});

test("checkQuota() lets what is over its quota become less", () => {
  const service = (count: number): KubernetesObject =>
    ({ spec: { type: "NodePort", ports: Array.from({ length: count }, (_, port) => ({ port })) } }) as KubernetesObject;
  const full = quota({ "services.nodeports": "1" }, { "services.nodeports": "5" });
  const less = checkQuota(full, { resource: "services", object: service(2), old: service(3) });
  assert.deepEqual(less, { used: { "services.nodeports": "4" } });
  assert.ok("refusal" in checkQuota(full, { resource: "services", object: service(3), old: service(2) }));
});

test("property: however pods come, what is charged is what they use and never more than the quota", () => {
  const milli = fc.integer({ min: 1, max: 900 });
  fc.assert(
    fc.property(fc.array(milli, { maxLength: 30 }), fc.integer({ min: 1, max: 3000 }), (wanted, most) => {
      let current = quota({ "requests.cpu": `${most}m`, pods: "20" });
      const made: Pod[] = [];
      for (const cpu of wanted) {
        const object = pod([container({ cpu: `${cpu}m` })]);
        const verdict = checkQuota(current, { resource: "pods", object, old: undefined });
        if ("refusal" in verdict) continue;
        made.push(object);
        current = { ...current, status: { ...current.status, used: verdict.used ?? {} } };
      }
      assert.deepEqual(quotaStatus(current, () => made).used, current.status?.used);
      const total = made.reduce(
        (sum, { spec }) => sum + Number.parseInt(spec?.containers[0]?.resources?.requests?.["cpu"] ?? "0", 10),
        0,
      );
      assert.ok(total <= most && made.length <= 20);
    }),
  );
});

test("a quota of volume attributes classes counts the claims that have, had or wait for one", () => {
  const matchExpressions = [{ scopeName: "VolumeAttributesClass", operator: "In", values: ["gold"] }];
  const gold: ResourceQuota = {
    metadata: { name: "q" },
    spec: { hard: { persistentvolumeclaims: "5" }, scopeSelector: { matchExpressions } },
  };
  const claims: readonly PersistentVolumeClaim[] = [
    { spec: { volumeAttributesClassName: "gold" } },
    { spec: { volumeAttributesClassName: "silver" }, status: { currentVolumeAttributesClassName: "gold" } },
    { spec: { volumeAttributesClassName: "silver" } },
    { spec: {} },
  ];
  const { used } = quotaStatus(gold, (resource) => (resource === "persistentvolumeclaims" ? claims : []));
  assert.deepEqual(used, { persistentvolumeclaims: "2" });
});
