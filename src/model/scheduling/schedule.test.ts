import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node, Pod, PodSpec } from "../../api/generated/types.ts";
import { matchesSelector } from "../../lib/labels/index.ts";
import { nodeState } from "./node-state.ts";
import { schedulePod } from "./schedule.ts";
import type { ClusterView } from "./view.ts";

function node(
  name: string,
  rest: { labels?: Record<string, string>; spec?: Node["spec"]; cpu?: string; isReady?: boolean } = {},
): Node {
  return {
    metadata: { name, labels: { "kubernetes.io/hostname": name, ...rest.labels } },
    ...(rest.spec === undefined ? {} : { spec: rest.spec }),
    status: {
      allocatable: { cpu: rest.cpu ?? "2", memory: "4Gi", pods: "110" },
      conditions: [{ type: "Ready", status: rest.isReady === false ? "False" : "True" }],
    },
  };
}

let serial = 0;
function pod(spec: Partial<PodSpec> = {}, labels: Record<string, string> = { app: "web" }): Pod {
  serial += 1;
  return {
    metadata: { namespace: "default", name: `pod-${serial}`, uid: `uid-${serial}`, labels },
    spec: { containers: [{ name: "web" }], ...spec },
  };
}

function on(nodeName: string, one: Pod): Pod {
  return { ...one, spec: { containers: [], ...one.spec, nodeName } };
}

function view(nodes: readonly Node[], placed: readonly Pod[] = []): ClusterView {
  return {
    nodes: nodes.map((one) =>
      nodeState(
        one,
        placed.filter(({ spec }) => spec?.nodeName === one.metadata?.name),
      ),
    ),
    podsMatching: (selector, namespace) =>
      placed.filter(
        ({ metadata }) =>
          (namespace === undefined || metadata?.namespace === namespace) &&
          matchesSelector(selector, metadata?.labels ?? {}),
      ),
    podsWithAntiAffinity: placed.filter(({ spec }) => spec?.affinity?.podAntiAffinity !== undefined),
    nodeOf: ({ spec }) => spec?.nodeName,
    namespaceLabels: () => ({}),
    nominated: [],
    volumesOf: () => ({ problem: undefined, volumes: [] }),
    likePod: ({ metadata }) => placed.filter((other) => other.metadata?.labels?.["app"] === metadata?.labels?.["app"]),
  };
}

const three = [node("node-1"), node("node-2"), node("node-3")];
const big = { containers: [{ name: "web", resources: { requests: { cpu: "1500m", memory: "1Gi" } } }] };
const hostPort = { containers: [{ name: "web", ports: [{ containerPort: 80, hostPort: 8080 }] }] };
const apart = {
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { labelSelector: { matchLabels: { app: "web" } }, topologyKey: "kubernetes.io/hostname" },
      ],
    },
  },
};
const besideDb = {
  affinity: {
    podAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { labelSelector: { matchLabels: { app: "db" } }, topologyKey: "kubernetes.io/hostname" },
      ],
    },
  },
};
const evenly = {
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: "kubernetes.io/hostname",
      whenUnsatisfiable: "DoNotSchedule",
      labelSelector: { matchLabels: { app: "web" } },
    },
  ],
};

const cases: readonly {
  readonly name: string;
  readonly view: ClusterView;
  readonly pod: Pod;
  readonly goesTo: string;
}[] = [
  { name: "an empty cluster: the first node", view: view(three), pod: pod(), goesTo: "node-1" },
  { name: "a pod of the same kind is avoided", view: view(three, [on("node-1", pod())]), pod: pod(), goesTo: "node-2" },
  {
    name: "a free node is preferred",
    view: view(three, [on("node-1", pod(big, {})), on("node-2", pod(big, {}))]),
    pod: pod(),
    goesTo: "node-3",
  },
  {
    name: "nodeSelector",
    view: view([...three, node("node-4", { labels: { disk: "ssd" } })]),
    pod: pod({ nodeSelector: { disk: "ssd" } }),
    goesTo: "node-4",
  },
  {
    name: "a full node is left out",
    view: view([node("node-1"), node("node-2", { cpu: "8" })], [on("node-1", pod(big))]),
    pod: pod(big),
    goesTo: "node-2",
  },
  {
    name: "a taken host port",
    view: view(three, [on("node-1", pod(hostPort, {}))]),
    pod: pod(hostPort),
    goesTo: "node-2",
  },
  {
    name: "anti-affinity",
    view: view(three, [on("node-1", pod()), on("node-2", pod())]),
    pod: pod(apart),
    goesTo: "node-3",
  },
  {
    name: "anti-affinity of a pod that is there",
    view: view(three.slice(0, 2), [on("node-1", pod(apart, { app: "api" }))]),
    pod: pod(),
    goesTo: "node-2",
  },
  { name: "affinity", view: view(three, [on("node-2", pod({}, { app: "db" }))]), pod: pod(besideDb), goesTo: "node-2" },
  {
    name: "the first of a group that wants to be together",
    view: view(three),
    pod: pod(besideDb, { app: "db" }),
    goesTo: "node-1",
  },
  {
    name: "topology spread",
    view: view(three, [on("node-1", pod()), on("node-3", pod())]),
    pod: pod(evenly),
    goesTo: "node-2",
  },
  {
    name: "a tolerated taint",
    view: view([node("node-1", { spec: { taints: [{ key: "dedicated", value: "db", effect: "NoSchedule" }] } })]),
    pod: pod({ tolerations: [{ key: "dedicated", operator: "Equal", value: "db", effect: "NoSchedule" }] }),
    goesTo: "node-1",
  },
  {
    name: "PreferNoSchedule is avoided",
    view: view([node("node-1", { spec: { taints: [{ key: "old", effect: "PreferNoSchedule" }] } }), node("node-2")]),
    pod: pod(),
    goesTo: "node-2",
  },
  {
    name: "a preferred node affinity",
    view: view([...three, node("node-4", { labels: { disk: "ssd" } })]),
    pod: pod({
      affinity: {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 100, preference: { matchExpressions: [{ key: "disk", operator: "In", values: ["ssd"] }] } },
          ],
        },
      },
    }),
    goesTo: "node-4",
  },
  {
    name: "Gt in a node affinity",
    view: view([node("node-1", { labels: { cores: "2" } }), node("node-2", { labels: { cores: "16" } })]),
    pod: pod({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: "cores", operator: "Gt", values: ["8"] }] }],
          },
        },
      },
    }),
    goesTo: "node-2",
  },
];

for (const { name, view: cluster, pod: one, goesTo } of cases) {
  test(`schedulePod() ${name}`, () => {
    assert.deepEqual(schedulePod(one, cluster), { node: goesTo });
  });
}

const preempt = (text: string): string => `preemption: 0/3 nodes are available: ${text}.`;
const refusals: readonly {
  readonly name: string;
  readonly view: ClusterView;
  readonly pod: Pod;
  readonly says: string;
}[] = [
  { name: "no nodes", view: view([]), pod: pod(), says: "no nodes available to schedule pods" },
  {
    name: "no node with the label",
    view: view(three),
    pod: pod({ nodeSelector: { disk: "ssd" } }),
    says: `0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. ${preempt("3 Preemption is not helpful for scheduling")}`,
  },
  {
    name: "different reasons",
    view: view(
      [
        node("node-1", { spec: { unschedulable: true } }),
        node("node-2", { spec: { taints: [{ key: "dedicated", value: "db", effect: "NoSchedule" }] } }),
        node("node-3"),
      ],
      [on("node-3", pod(big))],
    ),
    pod: pod(big),
    says: `0/3 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {dedicated: db}, 1 node(s) were unschedulable. ${preempt("1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling")}`,
  },
  {
    name: "nodes that are not ready",
    view: view(three.map(({ metadata }) => node(metadata?.name ?? "", { isReady: false }))),
    pod: pod(),
    says: `0/3 nodes are available: 3 node(s) had untolerated taint {node.kubernetes.io/not-ready: }. ${preempt("3 Preemption is not helpful for scheduling")}`,
  },
  {
    name: "a spread over a label that no node has, though every JavaScript object has such a member",
    view: view(three),
    pod: pod({
      topologySpreadConstraints: evenly.topologySpreadConstraints.map((one) => ({
        ...one,
        topologyKey: "constructor",
      })),
    }),
    says: `0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints (missing required label). ${preempt("3 Preemption is not helpful for scheduling")}`,
  },
  {
    name: "anti-affinity everywhere",
    view: view(
      three,
      three.map(({ metadata }) => on(metadata?.name ?? "", pod())),
    ),
    pod: pod(apart),
    says: `0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules. ${preempt("3 No preemption victims found for incoming pod")}`,
  },
];

for (const { name, view: cluster, pod: one, says } of refusals) {
  test(`schedulePod() says why a pod fits nowhere: ${name}`, () => {
    const decision = schedulePod(one, cluster);
    assert.equal(decision.node, undefined);
    assert.equal("message" in decision && decision.message, says);
  });
}

function init(cpu: string) {
  return [{ name: "init", resources: { requests: { cpu } } }];
}

test("schedulePod() counts an init container beside the containers by the larger", () => {
  const small = view([node("node-1", { cpu: "1" })]);
  const containers = [{ name: "web", resources: { requests: { cpu: "600m" } } }];
  assert.deepEqual(schedulePod(pod({ containers, initContainers: init("900m") }), small), { node: "node-1" });
  const sidecar = init("500m").map((container) => ({ ...container, restartPolicy: "Always" }));
  assert.equal(schedulePod(pod({ containers, initContainers: sidecar }), small).node, undefined);
});
