/** Claims, volumes, nodes, runtime classes: what admission adds, and the controllers that follow it. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Pod, PodSpec } from "../../src/api/generated/types.ts";
import { resources } from "../../src/api/resources.ts";
import { ApiError } from "../../src/api/status.ts";
import type { ApiClient } from "../../src/client/index.ts";
import { startTestServer } from "./api-server.ts";
import type { TestServer } from "./api-server.ts";
import { startControllers } from "./controllers.ts";
import { eventually } from "./eventually.ts";
import { messageOf } from "./refusal.ts";

const lines: string[] = [];
let started: TestServer | undefined;
let stopControllers: (() => Promise<void>) | undefined;
let admin: ApiClient;

before(async () => {
  started = await startTestServer({ writeAudit: (line) => lines.push(line) });
  stopControllers = await startControllers(started);
  admin = started.server.client({ name: "root", groups: ["system:masters"] });
});
after(async () => {
  await stopControllers?.();
  await started?.close();
});

const isGone = async (found: Promise<unknown>): Promise<boolean> => {
  try {
    await found;
    return false;
  } catch (error) {
    if (error instanceof ApiError && error.code === 404) return true;
    throw error;
  }
};

const place = (name: string) => ({ namespace: "default", name });
const pod = (name: string, spec: Partial<PodSpec> = {}): Pod => ({
  metadata: place(name),
  spec: { containers: [{ name: "c", image: "x" }], terminationGracePeriodSeconds: 0, ...spec },
});
const claim = (name: string, storageClassName?: string) => ({
  metadata: place(name),
  spec: {
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: "1Gi" } },
    ...(storageClassName === undefined ? {} : { storageClassName }),
  },
});

test("a claim stays until the last pod that was placed with it is gone", async () => {
  const { metadata } = await admin.create(resources.persistentVolumeClaims, claim("held"));
  assert.deepEqual(metadata?.finalizers, ["kubernetes.io/pvc-protection"]);
  const volumes = [{ name: "v", persistentVolumeClaim: { claimName: "held" } }];
  await admin.create(resources.pods, pod("holder", { nodeName: "somewhere", volumes }));
  await admin.delete(resources.persistentVolumeClaims, place("held"));
  const held = await admin.get(resources.persistentVolumeClaims, place("held"));
  assert.notEqual(held.metadata?.deletionTimestamp, undefined);
  assert.equal(
    await messageOf(admin.create(resources.persistentVolumeClaims, claim("held"))),
    'object is being deleted: persistentvolumeclaims "held" already exists',
  );
  await admin.delete(resources.pods, place("holder"), { gracePeriodSeconds: 0 });
  await eventually("the claim is gone", () => isGone(admin.get(resources.persistentVolumeClaims, place("held"))));
});

test("a claim that no placed pod uses goes at once", async () => {
  await admin.create(resources.persistentVolumeClaims, claim("free"));
  await admin.create(
    resources.pods,
    pod("waiting", { volumes: [{ name: "v", persistentVolumeClaim: { claimName: "free" } }] }),
  );
  await admin.delete(resources.persistentVolumeClaims, place("free"));
  await eventually("the claim is gone", () => isGone(admin.get(resources.persistentVolumeClaims, place("free"))));
});

test("a bound volume stays until its claim has gone", async () => {
  const volume = await admin.create(resources.persistentVolumes, {
    metadata: { name: "disk" },
    spec: {
      capacity: { storage: "1Gi" },
      accessModes: ["ReadWriteOnce"],
      storageClassName: "",
      hostPath: { path: "/x" },
    },
  });
  assert.deepEqual(volume.metadata?.finalizers, ["kubernetes.io/pv-protection"]);
  await admin.create(resources.persistentVolumeClaims, claim("user", ""));
  const phase = async (): Promise<string | undefined> =>
    (await admin.get(resources.persistentVolumes, { name: "disk" })).status?.phase;
  await eventually("the volume is bound", async () => (await phase()) === "Bound");
  await admin.delete(resources.persistentVolumes, { name: "disk" });
  assert.equal(await phase(), "Bound");
  await admin.delete(resources.persistentVolumeClaims, place("user"));
  await eventually("the volume is gone", () => isGone(admin.get(resources.persistentVolumes, { name: "disk" })));
});

test("a claim grows once it is bound and its class says so, and never shrinks below what there is", async () => {
  const grow = (storage: string): Promise<unknown> =>
    admin.patch(resources.persistentVolumeClaims, place("grows"), {
      type: "merge",
      body: { spec: { resources: { requests: { storage } } } },
    });
  await admin.create(resources.storageClasses, { metadata: { name: "stiff" }, provisioner: "example.com/x" });
  await admin.create(resources.persistentVolumeClaims, claim("grows", "stiff"));
  assert.match(await messageOf(grow("2Gi")), /: spec: Forbidden: spec is immutable after creation except resources/);
  const status = { phase: "Bound", capacity: { storage: "1Gi" } };
  await admin.patch(
    resources.persistentVolumeClaims,
    place("grows"),
    { type: "merge", body: { status } },
    { subresource: "status" },
  );
  assert.equal(
    await messageOf(grow("2Gi")),
    'persistentvolumeclaims "grows" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
  );
  const body = { allowVolumeExpansion: true };
  await admin.patch(resources.storageClasses, { name: "stiff" }, { type: "merge", body });
  await grow("2Gi");
  assert.equal(
    await messageOf(grow("512Mi")),
    'PersistentVolumeClaim "grows" is invalid: spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
  );
});

test("a new node takes no pods until it says that it is ready; its pods carry its zone", async () => {
  const labels = { "topology.kubernetes.io/zone": "z1", "topology.kubernetes.io/region": "r1", other: "x" };
  const node = await admin.create(resources.nodes, { metadata: { name: "fresh", labels } });
  assert.deepEqual(node.spec?.taints, [{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }]);
  const ready = { type: "Ready", status: "True", reason: "KubeletReady", message: "" };
  const body = { status: { conditions: [ready] } };
  await admin.patch(resources.nodes, { name: "fresh" }, { type: "strategic", body }, { subresource: "status" });
  await eventually("the taint is gone", async () => {
    return ((await admin.get(resources.nodes, { name: "fresh" })).spec?.taints ?? []).length === 0;
  });
  await admin.create(resources.pods, pod("placed", { nodeName: "fresh" }));
  await admin.create(resources.pods, { ...pod("bound"), metadata: { ...place("bound"), labels: { app: "a" } } });
  const target = { kind: "Node", name: "fresh" };
  await admin.createSubresource(resources.pods, place("bound"), "binding", {
    metadata: { ...place("bound"), labels: { by: "hand" } },
    target,
  });
  const labelsOf = async (name: string) => (await admin.get(resources.pods, place(name))).metadata?.labels;
  const { other: _other, ...topology } = labels;
  assert.deepEqual(await labelsOf("placed"), topology);
  assert.deepEqual(await labelsOf("bound"), { app: "a", by: "hand", ...topology });
});

test("a runtime class adds what it costs and where it runs; pods that say otherwise are refused", async () => {
  const made = (name: string, spec: Partial<PodSpec>): Promise<Pod> => admin.create(resources.pods, pod(name, spec));
  assert.equal(
    await messageOf(made("r0", { runtimeClassName: "slow" })),
    'pods "r0" is forbidden: pod rejected: RuntimeClass "slow" not found',
  );
  await admin.create(resources.runtimeClasses, {
    metadata: { name: "slow" },
    handler: "slow",
    overhead: { podFixed: { cpu: "100m" } },
    scheduling: { nodeSelector: { kind: "slow" }, tolerations: [{ key: "slow", operator: "Exists" }] },
  });
  const { spec } = await made("r1", { runtimeClassName: "slow" });
  assert.deepEqual([spec?.overhead, spec?.nodeSelector], [{ cpu: "100m" }, { kind: "slow" }]);
  assert.ok(spec?.tolerations?.some(({ key }) => key === "slow"));
  const refused: readonly (readonly [Partial<PodSpec>, string])[] = [
    [
      { runtimeClassName: "slow", nodeSelector: { kind: "fast" } },
      "conflict: runtimeClass.scheduling.nodeSelector[kind] = slow; pod.spec.nodeSelector[kind] = fast",
    ],
    [
      { runtimeClassName: "slow", overhead: { cpu: "1" } },
      "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
    ],
    [{ overhead: { cpu: "1" } }, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"],
  ];
  for (const [given, why] of refused) {
    assert.equal(await messageOf(made("r2", given)), `pods "r2" is forbidden: ${why}`);
  }
});

test("an account that enforces its Secrets lets its pods name no others", async () => {
  const annotations = { "kubernetes.io/enforce-mountable-secrets": "true" };
  await admin.create(resources.serviceAccounts, { metadata: { ...place("strict"), annotations } });
  const made = (spec: Partial<PodSpec>): Promise<string> =>
    messageOf(admin.create(resources.pods, pod("s", { serviceAccountName: "strict", ...spec })));
  const because = "is not allowed because service account strict does not reference that secret";
  assert.equal(
    await made({ volumes: [{ name: "v", secret: { secretName: "other" } }] }),
    `pods "s" is forbidden: volume with secret.secretName="other" ${because}`,
  );
  const envFrom = [{ secretRef: { name: "other" } }];
  assert.equal(
    await made({ containers: [{ name: "c", image: "x", envFrom }] }),
    `pods "s" is forbidden: container c with envFrom referencing secret.secretName="other" ${because}`,
  );
  assert.equal(
    await messageOf(
      admin.create(resources.pods, {
        ...pod("m", { nodeName: "n", serviceAccountName: "strict" }),
        metadata: { ...place("m"), annotations: { "kubernetes.io/config.mirror": "x" } },
      }),
    ),
    'pods "m" is forbidden: a mirror pod may not reference service accounts',
  );
});

test("a namespace's labels of pod security must be readable, and what is beyond the audited level is written down", async () => {
  const level = (mode: string): string => `pod-security.kubernetes.io/${mode}`;
  assert.equal(
    await messageOf(
      admin.create(resources.namespaces, { metadata: { name: "bad", labels: { [level("enforce")]: "x" } } }),
    ),
    'Namespace "bad" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "x": must be one of privileged, baseline, restricted',
  );
  await admin.create(resources.namespaces, { metadata: { name: "watched", labels: { [level("audit")]: "baseline" } } });
  await eventually("the namespace has its account", async () => {
    return (await admin.list(resources.serviceAccounts, { namespace: "watched" })).items.length > 0;
  });
  const root = { ...pod("a", { hostNetwork: true }), metadata: { namespace: "watched", name: "a" } };
  await admin.create(resources.pods, root);
  const events = lines.map(
    (line) =>
      JSON.parse(line) as {
        verb: string;
        annotations?: Record<string, string>;
        objectRef?: { namespace?: string; resource?: string };
      },
  );
  const created = events.find(({ verb, objectRef }) => {
    return verb === "create" && objectRef?.resource === "pods" && objectRef.namespace === "watched";
  });
  assert.deepEqual(created?.annotations, {
    "authorization.k8s.io/decision": "allow",
    "pod-security.kubernetes.io/enforce-policy": "privileged:latest",
    "pod-security.kubernetes.io/audit-violations":
      'would violate PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',
  });
});

test("a volume attributes class cannot be changed, and stays as long as a claim names it", async () => {
  const classes = resources.volumeAttributesClasses;
  const gold = { metadata: { name: "gold" }, driverName: "disk.example.com", parameters: { iops: "4000" } };
  const { metadata } = await admin.create(classes, gold);
  assert.deepEqual(metadata?.finalizers, ["kubernetes.io/vac-protection"]);
  assert.equal(
    await messageOf(admin.update(classes, { ...gold, driverName: "b", parameters: { iops: "1" } })),
    'VolumeAttributesClass.storage.k8s.io "gold" is invalid: [driverName: Forbidden: updates to driverName are forbidden., ' +
      "parameters: Forbidden: updates to parameters are forbidden.]",
  );
  assert.equal(
    await messageOf(admin.create(classes, { metadata: { name: "bare" }, driverName: "" })),
    'VolumeAttributesClass.storage.k8s.io "bare" is invalid: [driverName: Required value, ' +
      "parameters: Required value: must contain at least one key/value pair]",
  );
  const golden = place("golden");
  await admin.create(resources.persistentVolumeClaims, {
    metadata: golden,
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
      storageClassName: "none",
      volumeAttributesClassName: "gold",
    },
  });
  await admin.delete(classes, { name: "gold" });
  assert.notEqual((await admin.get(classes, { name: "gold" })).metadata?.deletionTimestamp, undefined);
  await admin.delete(resources.persistentVolumeClaims, golden);
  await eventually("the class goes", async () => await isGone(admin.get(classes, { name: "gold" })));
});
