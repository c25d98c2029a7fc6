import assert from "node:assert/strict";
import { test } from "node:test";
import type { EndpointSlice, Pod, Service, ServiceSpec } from "../../api/generated/types.ts";
import { planEndpoints, planMirror, planSlices, triggerTime } from "./index.ts";
import type { SliceWrites } from "./index.ts";

function service(spec: Partial<ServiceSpec> = {}, labels: Record<string, string> = {}): Service {
  return {
    metadata: { namespace: "default", name: "web", uid: "svc", labels },
    spec: { selector: { app: "web" }, ports: [{ port: 80, protocol: "TCP" }], ipFamilies: ["IPv4"], ...spec },
  };
}

interface PodFacts {
  readonly isReady?: boolean;
  readonly isLeaving?: boolean;
  readonly phase?: string;
  readonly ips?: readonly string[];
  readonly portNumber?: number;
  readonly spec?: Partial<NonNullable<Pod["spec"]>>;
}

function pod(
  index: number,
  { isReady = true, isLeaving, phase = "Running", ips, portNumber = 8080, spec }: PodFacts = {},
): Pod {
  const addresses = ips ?? [`10.244.${Math.floor(index / 250)}.${(index % 250) + 1}`];
  return {
    metadata: {
      namespace: "default",
      name: `web-${index}`,
      uid: `uid-${index}`,
      ...(isLeaving === true ? { deletionTimestamp: "2026-11-20T08:00:00Z" } : {}),
    },
    spec: {
      containers: [{ name: "web", ports: [{ name: "http", containerPort: portNumber }] }],
      nodeName: "node-1",
      ...spec,
    },
    status: {
      phase,
      podIPs: addresses.map((ip) => ({ ip })),
      conditions: [{ type: "Ready", status: isReady ? "True" : "False", lastTransitionTime: "2026-11-20T07:00:00Z" }],
    },
  };
}

const pods = (count: number): readonly Pod[] => Array.from({ length: count }, (_, index) => pod(index));

function slicesFor(of: Service, members: readonly Pod[], existing: readonly EndpointSlice[] = []): SliceWrites {
  const nodeOf = () => ({ metadata: { name: "node-1", labels: { "topology.kubernetes.io/zone": "zone-a" } } });
  return planSlices({ service: of, pods: members, nodeOf, existing, triggerTime: undefined });
}

/** What the server makes of the slices to be created. */
function stored(writes: SliceWrites): readonly EndpointSlice[] {
  return writes.create.map((slice, index) => ({ ...slice, metadata: { ...slice.metadata, name: `web-${index}` } }));
}

const nothing: SliceWrites = { create: [], update: [], remove: [] };

test("planSlices() fills slices of a hundred and finds nothing to do the second time", () => {
  const writes = slicesFor(service(), pods(250));
  assert.deepEqual(
    writes.create.map(({ endpoints }) => endpoints?.length),
    [100, 100, 50],
  );
  assert.deepEqual(slicesFor(service(), pods(250), stored(writes)), nothing);
});

test("planSlices() hints whom an endpoint is for, by the Service's trafficDistribution", () => {
  const hintsFor = (trafficDistribution: string | undefined, isReady = true): unknown => {
    const spread = { ...service(), spec: { ...service().spec, ...(trafficDistribution && { trafficDistribution }) } };
    return slicesFor(spread, [pod(1, { isReady })]).create[0]?.endpoints?.[0]?.hints;
  };
  const forZones = [{ name: "zone-a" }];
  assert.equal(hintsFor(undefined), undefined);
  assert.deepEqual(hintsFor("PreferClose"), { forZones });
  assert.deepEqual(hintsFor("PreferSameZone"), { forZones });
  assert.deepEqual(hintsFor("PreferSameNode"), { forNodes: [{ name: "node-1" }], forZones });
  assert.equal(hintsFor("PreferSameNode", false), undefined);
});

test("planSlices() touches one slice when one pod of many goes or comes", () => {
  const existing = stored(slicesFor(service(), pods(250)));
  const gone = slicesFor(service(), pods(250).slice(1), existing);
  assert.deepEqual([gone.create.length, gone.update.length, gone.remove.length], [0, 1, 0]);
  assert.equal(gone.update[0]?.metadata?.name, "web-0");
  const came = slicesFor(service(), pods(251), existing);
  assert.deepEqual([came.create.length, came.update.length, came.remove.length], [0, 1, 0]);
  assert.equal(came.update[0]?.endpoints?.length, 51);
});

test("planSlices() keeps one empty slice of a Service that lost its pods, and removes the others", () => {
  const existing = stored(slicesFor(service(), pods(150)));
  const writes = slicesFor(service(), [], existing);
  assert.deepEqual(
    writes.update.map(({ endpoints }) => endpoints),
    [[]],
  );
  assert.equal(writes.remove.length, 1);
  assert.equal(writes.create.length, 0);
});

const conditionsOf: readonly {
  readonly name: string;
  readonly facts: PodFacts;
  readonly spec?: Partial<ServiceSpec>;
  readonly expected: unknown;
}[] = [
  { name: "ready", facts: {}, expected: { ready: true, serving: true, terminating: false } },
  { name: "not ready", facts: { isReady: false }, expected: { ready: false, serving: false, terminating: false } },
  {
    name: "terminating and still serving",
    facts: { isLeaving: true },
    expected: { ready: false, serving: true, terminating: true },
  },
  {
    name: "terminating and not serving",
    facts: { isLeaving: true, isReady: false },
    expected: { ready: false, serving: false, terminating: true },
  },
  {
    name: "not ready but published",
    facts: { isReady: false },
    spec: { publishNotReadyAddresses: true },
    expected: { ready: true, serving: false, terminating: false },
  },
  { name: "ended", facts: { phase: "Succeeded" }, expected: undefined },
  { name: "without an address", facts: { ips: [] }, expected: undefined },
];

for (const { name, facts, spec, expected } of conditionsOf) {
  test(`planSlices() conditions of a pod: ${name}`, () => {
    const [slice] = slicesFor(service(spec), [pod(1, facts)]).create;
    assert.deepEqual(slice?.endpoints?.[0]?.conditions, expected);
  });
}

test("planSlices() resolves a named port per pod and puts different ports into different slices", () => {
  const of = service({ ports: [{ name: "web", port: 80, targetPort: "http", protocol: "TCP", appProtocol: "http" }] });
  const { create } = slicesFor(of, [
    pod(1),
    pod(2, { portNumber: 9090 }),
    pod(3, { spec: { containers: [{ name: "web" }] } }),
  ]);
  assert.deepEqual(
    create.map(({ ports, endpoints }) => [ports, endpoints?.map(({ targetRef }) => targetRef?.name)]),
    [
      [[{ name: "web", port: 8080, protocol: "TCP", appProtocol: "http" }], ["web-1"]],
      [[{ name: "web", port: 9090, protocol: "TCP", appProtocol: "http" }], ["web-2"]],
    ],
    "a pod without the port is in none",
  );
});

test("planSlices() makes slices of both families for a dual-stack Service", () => {
  const of = service({ ipFamilies: ["IPv6", "IPv4"] });
  const { create } = slicesFor(of, [pod(1, { ips: ["10.244.0.7", "fd00::7"] })]);
  assert.deepEqual(
    create.map(({ addressType, endpoints }) => [addressType, endpoints?.[0]?.addresses]),
    [
      ["IPv6", ["fd00::7"]],
      ["IPv4", ["10.244.0.7"]],
    ],
  );
});

test("planSlices() gives hostname, node, zone and the pod; labels of the Service and of a headless one", () => {
  const of = service({ clusterIP: "None" }, { team: "shop" });
  const [slice] = slicesFor(of, [pod(1, { spec: { hostname: "db-0", subdomain: "web" } })]).create;
  assert.deepEqual(slice?.endpoints?.[0], {
    addresses: ["10.244.0.2"],
    conditions: { ready: true, serving: true, terminating: false },
    hostname: "db-0",
    nodeName: "node-1",
    targetRef: { kind: "Pod", namespace: "default", name: "web-1", uid: "uid-1" },
    zone: "zone-a",
  });
  assert.deepEqual(slice?.metadata?.labels, {
    team: "shop",
    "service.kubernetes.io/headless": "",
    "kubernetes.io/service-name": "web",
    "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
  });
});

test("planSlices() of a headless Service without ports has endpoints without ports", () => {
  const [slice] = slicesFor(service({ clusterIP: "None", ports: [] }), [pod(1)]).create;
  assert.equal(slice?.endpoints?.length, 1);
  assert.deepEqual(slice?.ports, []);
});

test("planEndpoints() tells ready from not ready, leaves out what is leaving, and settles", () => {
  const members = [pod(2), pod(1), pod(3, { isReady: false }), pod(4, { isLeaving: true })];
  const input = { service: service(), pods: members, triggerTime: "2026-11-20T08:00:00Z" };
  const made = planEndpoints({ ...input, existing: undefined });
  const [subset] = made?.subsets ?? [];
  assert.deepEqual(
    subset?.addresses?.map(({ ip }) => ip),
    ["10.244.0.2", "10.244.0.3"],
  );
  assert.deepEqual(
    subset?.notReadyAddresses?.map(({ ip }) => ip),
    ["10.244.0.4"],
  );
  assert.deepEqual(subset?.ports, [{ port: 80, protocol: "TCP" }]);
  assert.equal(
    made?.metadata?.annotations?.["endpoints.kubernetes.io/last-change-trigger-time"],
    "2026-11-20T08:00:00Z",
  );
  assert.equal(planEndpoints({ ...input, pods: members.toReversed(), existing: made }), undefined);
});

test("planEndpoints() cuts at a thousand addresses and says so", () => {
  const made = planEndpoints({ service: service(), pods: pods(1200), existing: undefined, triggerTime: undefined });
  assert.equal(made?.subsets?.[0]?.addresses?.length, 1000);
  assert.equal(made?.metadata?.annotations?.["endpoints.kubernetes.io/over-capacity"], "truncated");
  assert.equal(
    planEndpoints({ service: service(), pods: pods(1200), existing: made, triggerTime: undefined }),
    undefined,
  );
});

test("planMirror() sorts addresses by family and readiness", () => {
  const { create } = planMirror(
    {
      metadata: { namespace: "default", name: "web", uid: "ep", labels: { team: "shop" } },
      subsets: [
        {
          addresses: [{ ip: "192.0.2.1" }, { ip: "2001:db8::1" }],
          notReadyAddresses: [{ ip: "192.0.2.2" }],
          ports: [{ name: "db", port: 5432, protocol: "TCP" }],
        },
      ],
    },
    { existing: [] },
  );
  assert.deepEqual(
    create.map(({ addressType, endpoints }) => [
      addressType,
      endpoints?.map(({ addresses, conditions }) => [addresses[0], conditions?.ready]),
    ]),
    [
      [
        "IPv4",
        [
          ["192.0.2.1", true],
          ["192.0.2.2", false],
        ],
      ],
      ["IPv6", [["2001:db8::1", true]]],
    ],
  );
});

test("triggerTime() is the earliest change since the last look, and none for a pod that only left", () => {
  const of = { ...service(), metadata: { ...service().metadata, creationTimestamp: "2026-11-20T06:00:00Z" } };
  const first = triggerTime(undefined, { service: of, pods: [pod(1)] });
  assert.equal(first.time, "2026-11-20T06:00:00Z");
  const second = triggerTime(first.state, { service: of, pods: [pod(1), pod(2)] });
  assert.equal(second.time, "2026-11-20T07:00:00Z");
  assert.equal(triggerTime(second.state, { service: of, pods: [pod(1)] }).time, undefined);
});
