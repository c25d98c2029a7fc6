import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { builtinResources } from "./builtin.ts";
import { decodeObject } from "./decode/index.ts";
import { fieldErrorText } from "./field-error.ts";
import { fieldsOf } from "./schema.ts";
import type { FieldType } from "./schema.ts";
import { ApiError } from "./status.ts";
import type { KubernetesObject } from "./object.ts";
import type { ResourceDefinition } from "./registry/index.ts";

const registry = builtinResources();
const now = new Date("2026-11-20T12:00:00Z");

function definitionOf(apiVersion: string, kind: string): ResourceDefinition {
  const definition = registry.findKind(apiVersion, kind);
  assert.ok(definition, `${apiVersion} ${kind} is served`);
  return definition;
}

interface Manifest extends KubernetesObject {
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** As the server makes it of a manifest. */
function created(manifest: Manifest): KubernetesObject {
  const definition = definitionOf(manifest.apiVersion ?? "", manifest.kind ?? "");
  const { object } = decodeObject(definition, { value: manifest }, "Strict");
  return definition.prepareForCreate(definition.withDefaults(object));
}

function mistakes(manifest: Manifest): readonly string[] {
  const definition = definitionOf(manifest.apiVersion ?? "", manifest.kind ?? "");
  return definition.validate(created(manifest)).map(fieldErrorText);
}

function service(spec: object): Manifest {
  return { apiVersion: "v1", kind: "Service", metadata: { name: "web", namespace: "default" }, spec };
}

test("a Service gets upstream's defaults and mistakes", () => {
  assert.deepEqual(created(service({ ports: [{ port: 80 }] })), {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "default" },
    spec: {
      ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
      sessionAffinity: "None",
      type: "ClusterIP",
      internalTrafficPolicy: "Cluster",
    },
    status: { loadBalancer: {} },
  });
  const cases: readonly (readonly [object, readonly string[]])[] = [
    [{}, ["spec.ports: Required value"]],
    [
      { ports: [{ port: 70_000, targetPort: 80 }] },
      ["spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive"],
    ],
    [
      { ports: [{ port: 80, nodePort: 30_000 }] },
      ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ],
    [
      { ports: [{ port: 80, protocol: "HTTP" }] },
      ['spec.ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"'],
    ],
    [
      { type: "Fancy", ports: [{ port: 80 }] },
      [
        'spec.type: Unsupported value: "Fancy": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
      ],
    ],
    [{ clusterIP: "None" }, []],
    [{ type: "ExternalName" }, ["spec.externalName: Required value"]],
  ];
  for (const [spec, expected] of cases) assert.deepEqual(mistakes(service(spec)), expected, JSON.stringify(spec));
});

test("a Service keeps its address and node ports through replacement", () => {
  const definition = definitionOf("v1", "Service");
  const old = created(service({ type: "NodePort", clusterIP: "10.96.0.7", ports: [{ port: 80, nodePort: 30_080 }] }));
  const context = { old, subresource: "" };
  const replaced = definition.prepareForUpdate(created(service({ type: "NodePort", ports: [{ port: 80 }] })), context);
  assert.deepEqual(definition.validateUpdate(replaced, context), []);
  assert.match(JSON.stringify(replaced), /"nodePort":30080/);
  assert.match(JSON.stringify(replaced), /"clusterIP":"10\.96\.0\.7"/);
  const moved = definition.prepareForUpdate(
    created(service({ clusterIP: "10.96.0.8", ports: [{ port: 80 }] })),
    context,
  );
  const [mistake] = definition.validateUpdate(moved, context).map(fieldErrorText);
  assert.equal(mistake, 'spec.clusterIPs[0]: Invalid value: ["10.96.0.8"]: may not change once set');
});

test("generation counts changes of the spec, and status changes only by its own subresource", () => {
  const definition = definitionOf("apps/v1", "Deployment");
  const deployment = (replicas: number, more: object = {}): Manifest => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas,
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "i" }] } },
    },
    ...more,
  });
  const old = created(deployment(1, { status: { replicas: 9 } }));
  assert.equal(old.metadata?.generation, 1);
  assert.equal("status" in old, false);
  const same = definition.prepareForUpdate(definition.withDefaults(deployment(1)), { old, subresource: "" });
  assert.equal(same.metadata?.generation, 1);
  const scaled = definition.prepareForUpdate(definition.withDefaults(deployment(2)), { old, subresource: "" });
  assert.equal(scaled.metadata?.generation, 2);
  const withStatus = deployment(5, { status: { replicas: 3 } });
  const reported = definition.prepareForUpdate(withStatus, { old, subresource: "status" });
  assert.match(JSON.stringify(reported), /"replicas":1,.*"status":\{"replicas":3\}/);
});

test("workloads whose selector misses their own pods are refused", () => {
  const found = mistakes({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "default" },
    spec: {
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "wbe" } }, spec: { containers: [{ name: "c", image: "i" }] } },
    },
  });
  assert.deepEqual(found, [
    'spec.template.metadata.labels: Invalid value: {"app":"wbe"}: `selector` does not match template `labels`',
  ]);
});

function pod(status: object, more: object = {}): Manifest {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "default", creationTimestamp: "2026-11-20T11:55:00Z", ...more },
    spec: { containers: [{ name: "a", image: "i" }], initContainers: [{ name: "i", image: "i" }] },
    status,
  };
}

const running = { running: { startedAt: "2026-11-20T11:55:00Z" } };
const podRows: readonly (readonly [string, object, object, readonly unknown[]])[] = [
  ["waiting for its node", { phase: "Pending" }, {}, ["0/1", "Pending", "0"]],
  [
    "initializing",
    { phase: "Pending", initContainerStatuses: [{ name: "i", restartCount: 0, state: running }] },
    {},
    ["0/1", "Init:0/1", "0"],
  ],
  [
    "failing to initialize",
    {
      phase: "Pending",
      initContainerStatuses: [{ name: "i", restartCount: 2, state: { waiting: { reason: "CrashLoopBackOff" } } }],
    },
    {},
    ["0/1", "Init:CrashLoopBackOff", "2"],
  ],
  [
    "running after a restart",
    {
      phase: "Running",
      podIPs: [{ ip: "10.244.0.2" }],
      containerStatuses: [
        {
          name: "a",
          ready: true,
          restartCount: 1,
          state: running,
          lastState: { terminated: { finishedAt: "2026-11-20T11:59:55Z" } },
        },
      ],
    },
    {},
    ["1/1", "Running", "1 (5s ago)"],
  ],
  [
    "without its image",
    {
      phase: "Pending",
      containerStatuses: [{ name: "a", restartCount: 0, state: { waiting: { reason: "ErrImagePull" } } }],
    },
    {},
    ["0/1", "ErrImagePull", "0"],
  ],
  [
    "completed",
    {
      phase: "Succeeded",
      containerStatuses: [{ name: "a", restartCount: 0, state: { terminated: { exitCode: 0, reason: "Completed" } } }],
    },
    {},
    ["0/1", "Completed", "0"],
  ],
  [
    "killed",
    {
      phase: "Failed",
      containerStatuses: [{ name: "a", restartCount: 0, state: { terminated: { exitCode: 137, signal: 9 } } }],
    },
    {},
    ["0/1", "Signal:9", "0"],
  ],
  ["stopping", { phase: "Running" }, { deletionTimestamp: "2026-11-20T12:00:00Z" }, ["0/1", "Terminating", "0"]],
];

test("a pod's row says what kubectl's would", () => {
  const definition = definitionOf("v1", "Pod");
  for (const [title, status, metadata, expected] of podRows) {
    assert.deepEqual(definition.cells(pod(status, metadata), now).slice(1, 4), expected, title);
  }
  assert.deepEqual(
    definition.columns.map(({ name, priority }) => `${name}:${priority}`),
    ["Name:0", "Ready:0", "Status:0", "Restarts:0", "Age:0", "IP:1", "Node:1", "Nominated Node:1", "Readiness Gates:1"],
  );
});

const metadata = { name: "x", namespace: "default", creationTimestamp: "2026-11-20T10:00:00Z" };
const rows: readonly (readonly [string, string, object, readonly unknown[]])[] = [
  [
    "v1",
    "Service",
    { spec: { type: "NodePort", clusterIP: "10.96.0.1", ports: [{ port: 80, nodePort: 32_285, protocol: "TCP" }] } },
    ["x", "NodePort", "10.96.0.1", "<none>", "80:32285/TCP", "120m", "<none>"],
  ],
  [
    "v1",
    "Service",
    { spec: { type: "LoadBalancer", ports: [], selector: { b: "2", a: "1" } } },
    ["x", "LoadBalancer", "<none>", "<pending>", "<none>", "120m", "a=1,b=2"],
  ],
  [
    "v1",
    "Endpoints",
    { subsets: [{ addresses: ["1", "2", "3", "4"].map((end) => ({ ip: `10.0.0.${end}` })), ports: [{ port: 80 }] }] },
    ["x", "10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 1 more...", "120m"],
  ],
  [
    "discovery.k8s.io/v1",
    "EndpointSlice",
    { addressType: "IPv4", ports: [{ port: 80 }], endpoints: [{ addresses: ["10.0.0.1"] }] },
    ["x", "IPv4", "80", "10.0.0.1", "120m"],
  ],
  [
    "v1",
    "Node",
    {
      metadata: { ...metadata, labels: { "node-role.kubernetes.io/control-plane": "" } },
      spec: { unschedulable: true },
      status: {
        conditions: [{ type: "Ready", status: "True" }],
        addresses: [{ type: "InternalIP", address: "192.168.60.11" }],
        nodeInfo: {
          kubeletVersion: "v1",
          osImage: "Debian",
          kernelVersion: "6.18",
          containerRuntimeVersion: "crun://1",
        },
      },
    },
    [
      "x",
      "Ready,SchedulingDisabled",
      "control-plane",
      "120m",
      "v1",
      "192.168.60.11",
      "<none>",
      "Debian",
      "6.18",
      "crun://1",
    ],
  ],
  [
    "apps/v1",
    "Deployment",
    {
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: "x" } },
        template: { spec: { containers: [{ name: "c", image: "i" }] } },
      },
      status: { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 1 },
    },
    ["x", "2/3", 3, 1, "120m", "c", "i", "app=x"],
  ],
  [
    "v1",
    "Event",
    {
      involvedObject: { kind: "Pod", name: "p", fieldPath: "spec.containers{a}" },
      firstTimestamp: "2026-11-20T11:00:00Z",
      lastTimestamp: "2026-11-20T11:59:00Z",
      count: 4,
      type: "Warning",
      reason: "BackOff",
      message: "again \n",
      source: { component: "kubelet", host: "node-1" },
    },
    ["60s", "Warning", "BackOff", "pod/p", "spec.containers{a}", "kubelet, node-1", "again", "60m", 4, "x"],
  ],
  ["v1", "Secret", { type: "Opaque", data: { a: "", b: "" } }, ["x", "Opaque", 2, "120m"]],
  [
    "batch/v1",
    "Job",
    {
      spec: { completions: 2, template: { spec: { containers: [] } } },
      status: { succeeded: 1, startTime: "2026-11-20T11:59:30Z" },
    },
    ["x", "Running", "1/2", "30s", "120m", "", "", "<none>"],
  ],
  [
    "networking.k8s.io/v1",
    "Ingress",
    { spec: { ingressClassName: "nginx", tls: [{}], rules: [{ host: "a.b" }] } },
    ["x", "nginx", "a.b", "", "80, 443", "120m"],
  ],
];

test("rows of the other kinds say what kubectl's would", () => {
  for (const [apiVersion, kind, parts, expected] of rows) {
    const object = { apiVersion, kind, metadata, ...parts };
    assert.deepEqual(definitionOf(apiVersion, kind).cells(object, now), expected, kind);
  }
});

/** Objects of a type with any of its fields, of the right types. */
function anyOf(type: FieldType, depth: number): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case "list":
      return depth === 0 ? fc.constant([]) : fc.array(anyOf(type.item, depth - 1), { maxLength: 2 });
    case "map":
      return depth === 0 ? fc.constant({}) : fc.dictionary(fc.string(), anyOf(type.value, depth - 1), { maxKeys: 2 });
    case "object": {
      if (depth === 0) return fc.constant({});
      const fields = [...fieldsOf(type.type)].map(([name, field]) => [name, anyOf(field.type, depth - 1)] as const);
      return fc.record(Object.fromEntries(fields), { requiredKeys: [] });
    }
    case "scalar":
      return scalarOf(type.type);
    default:
      throw new Error("Cannot make a value: the type is of no known kind");
  }
}

function scalarOf(type: string): fc.Arbitrary<unknown> {
  if (type === "boolean") return fc.boolean();
  if (type.startsWith("int")) return fc.integer({ min: -1, max: 70_000 });
  if (type.endsWith("time")) return fc.constant("2026-11-20T10:00:00Z");
  if (type === "quantity") return fc.constantFrom("1", "-1", "100m", "1Gi");
  if (type === "byte") return fc.constant("YQ==");
  return type === "any"
    ? fc.jsonValue()
    : fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom("None", "a", "10.0.0.1"));
}

test("no object of any kind makes its entry throw, and preparing changes no argument", () => {
  for (const definition of registry.definitions) {
    const { apiVersion: _version, kind: _kind, ...rest } = Object.fromEntries(fieldsOf(definition.type));
    const fields = Object.entries(rest).map(([name, field]) => [name, anyOf(field.type, 4)] as const);
    fc.assert(
      fc.property(fc.record(Object.fromEntries(fields), { requiredKeys: [] }), (value) => {
        const { object } = decodeObject(definition, { value }, "Strict");
        const before = structuredClone(object);
        const defaulted = definition.withDefaults(object);
        assert.deepEqual(definition.withDefaults(defaulted), defaulted, "defaults are idempotent");
        const stored = definition.prepareForCreate(defaulted);
        definition.validate(stored);
        for (const subresource of ["", "status"]) {
          const context = { old: stored, subresource };
          definition.validateUpdate(definition.prepareForUpdate(object, context), context);
        }
        assert.equal(definition.cells(stored, now).length, definition.columns.length);
        definition.selectableFields(stored);
        definition.conversion?.toServed(definition.conversion.toStored(stored));
        assert.deepEqual(object, before);
      }),
      { numRuns: 12 },
    );
  }
});

test("a name that is none is refused with upstream's sentence", () => {
  const errors = mistakes({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "No", namespace: "default" } });
  assert.match(errors.join(), /^metadata\.name: Invalid value: "No": a lowercase RFC 1123 subdomain must consist of/);
  assert.throws(() => decodeObject(definitionOf("v1", "Pod"), { text: "{" }, "Strict"), ApiError);
});

test("pods whose security, placement or volumes cannot be are refused with upstream's sentences", () => {
  const refused = (spec: object): readonly string[] =>
    mistakes({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "p", namespace: "default" },
      spec: { containers: [{ name: "c", image: "x" }], ...spec },
    });
  const terms = (...nodeSelectorTerms: readonly object[]): object => ({
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
  });
  const at = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
  const cases: readonly (readonly [object, readonly string[]])[] = [
    [
      { securityContext: { runAsUser: -1 } },
      ["spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive"],
    ],
    [
      { securityContext: { seccompProfile: { type: "Localhost" } } },
      [
        "spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost",
      ],
    ],
    [
      { hostPID: true, shareProcessNamespace: true },
      [
        "spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled",
      ],
    ],
    [terms(), [`${at}: Required value: must have at least one node selector term`]],
    [
      terms({ matchExpressions: [{ key: "zone", operator: "In" }] }),
      [`${at}[0].matchExpressions[0].values: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`],
    ],
    [
      { topologySpreadConstraints: [{ maxSkew: 0, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule" }] },
      ["spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero"],
    ],
    [
      { volumes: [{ name: "v", configMap: { name: "c", items: [{ key: "k", path: "/etc" }] } }] },
      ['spec.volumes[0].configMap.items[0].path: Invalid value: "/etc": must be a relative path'],
    ],
    [
      { volumes: [{ name: "v", nfs: { server: "s", path: "data" } }] },
      ['spec.volumes[0].nfs.path: Invalid value: "data": must be an absolute path'],
    ],
  ];
  for (const [spec, expected] of cases) assert.deepEqual(refused(spec), expected, JSON.stringify(spec));
});

test("a PersistentVolume's place on a node has no steps up, as that of a pod's volume", () => {
  const spec = { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"] };
  for (const kind of ["hostPath", "local"]) {
    const volume = { apiVersion: "v1", kind: "PersistentVolume", metadata: { name: "v" } };
    assert.deepEqual(mistakes({ ...volume, spec: { ...spec, [kind]: { path: "/data/../.." } } }), [
      `spec.${kind}.path: Invalid value: "/data/../..": must not contain '..'`,
    ]);
    assert.deepEqual(mistakes({ ...volume, spec: { ...spec, [kind]: { path: "/data" } } }), []);
  }
});

test("a CronJob's schedule and time zone are checked", () => {
  const job = (spec: object): readonly string[] =>
    mistakes({
      apiVersion: "batch/v1",
      kind: "CronJob",
      metadata: { name: "j", namespace: "default" },
      spec: {
        schedule: "* * * * *",
        jobTemplate: {
          spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "x" }] } } },
        },
        ...spec,
      },
    });
  assert.deepEqual(job({}), []);
  assert.deepEqual(job({ schedule: "61 * * * *" }), [
    'spec.schedule: Invalid value: "61 * * * *": end of range (61) above maximum (59): 61',
  ]);
  assert.deepEqual(job({ timeZone: "Europe/Nowhere" }), [
    'spec.timeZone: Invalid value: "Europe/Nowhere": unknown time zone Europe/Nowhere',
  ]);
});
