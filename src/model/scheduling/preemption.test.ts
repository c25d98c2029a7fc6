import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node, Pod, PodDisruptionBudget } from "../../api/generated/types.ts";
import { nodeState } from "./node-state.ts";
import { planPreemption } from "./preemption.ts";
import type { ClusterView } from "./view.ts";

const node = (name: string): Node => ({
  metadata: { name },
  status: { allocatable: { cpu: "4", memory: "4Gi", pods: "10" }, conditions: [{ type: "Ready", status: "True" }] },
});

interface Facts {
  readonly on?: string;
  readonly priority?: number;
  readonly cpu?: string;
  readonly startTime?: string;
}

function pod(name: string, { on, priority = 0, cpu = "2", startTime = "2026-11-20T08:00:00Z" }: Facts = {}): Pod {
  return {
    metadata: { namespace: "default", name, uid: name, labels: { app: name } },
    spec: {
      priority,
      containers: [{ name: "main", resources: { requests: { cpu } } }],
      ...(on === undefined ? {} : { nodeName: on }),
    },
    status: { startTime },
  };
}

function view(placed: readonly Pod[]): ClusterView {
  return {
    nodes: ["node-1", "node-2"].map((name) =>
      nodeState(
        node(name),
        placed.filter(({ spec }) => spec?.nodeName === name),
      ),
    ),
    nominated: [],
    podsMatching: () => [],
    podsWithAntiAffinity: [],
    nodeOf: ({ spec }) => spec?.nodeName,
    namespaceLabels: () => ({}),
    volumesOf: () => ({ problem: undefined, volumes: [] }),
    likePod: () => [],
  };
}

const budgetOf = (app: string): PodDisruptionBudget => ({
  metadata: { namespace: "default", name: app },
  spec: { selector: { matchLabels: { app } } },
  status: { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
});

const cases: readonly {
  readonly rule: string;
  readonly placed: readonly Pod[];
  readonly budgets?: readonly PodDisruptionBudget[];
  readonly hopeless?: string;
  readonly expected: string | undefined;
}[] = [
  {
    rule: "takes away no more than necessary, the least important",
    placed: [
      pod("low", { on: "node-1", priority: 1 }),
      pod("mid", { on: "node-1", priority: 5 }),
      pod("high", { on: "node-2", priority: 9, cpu: "4" }),
    ],
    expected: "node-1: low",
  },
  {
    rule: "takes away nothing as important as the pod itself",
    placed: [pod("a", { on: "node-1", priority: 10, cpu: "4" }), pod("b", { on: "node-2", priority: 11, cpu: "4" })],
    expected: undefined,
  },
  {
    rule: "prefers the node with the less important victims",
    placed: [pod("a", { on: "node-1", priority: 5, cpu: "4" }), pod("b", { on: "node-2", priority: 3, cpu: "4" })],
    expected: "node-2: b",
  },
  {
    rule: "prefers the node with fewer victims",
    placed: [
      pod("a", { on: "node-1", cpu: "2500m" }),
      pod("b", { on: "node-1", cpu: "1500m" }),
      pod("c", { on: "node-2", cpu: "4" }),
    ],
    expected: "node-1: a",
  },
  {
    rule: "prefers victims that started later",
    placed: [
      pod("a", { on: "node-1", cpu: "4", startTime: "2026-11-20T07:00:00Z" }),
      pod("b", { on: "node-2", cpu: "4" }),
    ],
    expected: "node-2: b",
  },
  {
    rule: "spares what a budget protects",
    placed: [pod("a", { on: "node-1", cpu: "4" }), pod("b", { on: "node-2", priority: 9, cpu: "4" })],
    budgets: [budgetOf("a")],
    expected: "node-2: b",
  },
  {
    rule: "breaks a budget where nothing else helps",
    placed: [pod("a", { on: "node-1", cpu: "4" }), pod("b", { on: "node-2", priority: 11, cpu: "4" })],
    budgets: [budgetOf("a")],
    expected: "node-1: a",
  },
  {
    rule: "leaves nodes alone where it would not help",
    placed: [pod("a", { on: "node-1", cpu: "4" }), pod("b", { on: "node-2", priority: 11, cpu: "4" })],
    hopeless: "node-1",
    expected: undefined,
  },
];

for (const { rule, placed, budgets = [], hopeless, expected } of cases) {
  test(`planPreemption() ${rule}`, () => {
    const plan = planPreemption(pod("new", { priority: 10 }), view(placed), {
      budgets,
      isHopeless: (name) => name === hopeless,
    });
    const text = plan && `${plan.node}: ${plan.victims.map(({ metadata }) => metadata?.name).join(" ")}`;
    assert.equal(text, expected);
  });
}
