import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, ReplicaSet } from "../../api/generated/types.ts";
import { deletionOrder } from "./deletion-order.ts";
import { planReplicaSet, replicaSetStatus } from "./index.ts";
import { resources } from "../../api/resources.ts";
import { podFromTemplate } from "../workload/index.ts";

const now = Date.parse("2026-11-20T08:00:00Z");
const ago = (seconds: number): string => new Date(now - seconds * 1000).toISOString();

interface PodFacts {
  readonly phase?: string;
  readonly node?: string;
  /** Since how many seconds it is ready. */
  readonly readyFor?: number;
  readonly cost?: string;
  readonly restarts?: number;
  readonly age?: number;
  readonly isLeaving?: boolean;
}

function pod(name: string, facts: PodFacts = {}): Pod {
  const { phase = "Running", node = "node-1", readyFor = 100, cost, restarts = 0, age = 1000 } = facts;
  return {
    metadata: {
      name,
      uid: name,
      namespace: "default",
      creationTimestamp: ago(age),
      labels: { app: "web" },
      ownerReferences: [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: "rs", controller: true }],
      ...(cost === undefined ? {} : { annotations: { "controller.kubernetes.io/pod-deletion-cost": cost } }),
      ...(facts.isLeaving === true ? { deletionTimestamp: ago(1) } : {}),
    },
    spec: { containers: [], nodeName: node },
    status: {
      phase,
      conditions: [{ type: "Ready", status: readyFor > 0 ? "True" : "False", lastTransitionTime: ago(readyFor) }],
      containerStatuses: [{ name: "web", image: "", imageID: "", ready: true, restartCount: restarts }],
    },
  };
}

const rules: readonly { readonly rule: string; readonly first: PodFacts; readonly second: PodFacts }[] = [
  { rule: "without a node before with one", first: { node: "" }, second: {} },
  { rule: "pending before running", first: { phase: "Pending" }, second: {} },
  { rule: "not ready before ready", first: { readyFor: 0 }, second: {} },
  { rule: "the cheaper to delete", first: { cost: "-5" }, second: { cost: "3" } },
  { rule: "an unreadable cost counts as 0", first: { cost: "-1" }, second: { cost: "+7" } },
  { rule: "from the more crowded node", first: { node: "crowded" }, second: {} },
  { rule: "ready for a much shorter time", first: { readyFor: 10 }, second: { readyFor: 100 } },
  { rule: "more restarts", first: { restarts: 3 }, second: { restarts: 1 } },
  { rule: "much younger", first: { age: 200 }, second: { age: 1000 } },
  { rule: "readiness counts more than cost", first: { readyFor: 0, cost: "100" }, second: { cost: "-100" } },
];

for (const { rule, first, second } of rules) {
  test(`deletionOrder() ${rule}`, () => {
    const options = { neighbours: ({ spec }: Pod) => (spec?.nodeName === "crowded" ? 3 : 1), now };
    // Names against the order, so that a tie would show.
    const pods = [pod("a", second), pod("b", first)];
    assert.deepEqual(
      deletionOrder(pods, options).map(({ metadata }) => metadata?.name),
      ["b", "a"],
    );
  });
}

function replicaSet(spec: Partial<NonNullable<ReplicaSet["spec"]>> = {}): ReplicaSet {
  return {
    metadata: { namespace: "default", name: "web", uid: "rs", generation: 2 },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "web" }] } },
      ...spec,
    },
  };
}

function plan(
  pods: readonly Pod[],
  options: { readonly deleting?: readonly string[]; readonly set?: ReplicaSet } = {},
) {
  return planReplicaSet({
    replicaSet: options.set ?? replicaSet(),
    pods,
    deleting: new Set(options.deleting),
    neighbours: () => 1,
    now,
  });
}

test("planReplicaSet() makes what is missing, ended and leaving pods not counted", () => {
  const pods = [pod("a"), pod("ended", { phase: "Failed" }), pod("leaving", { isLeaving: true })];
  assert.equal(plan(pods).create, 2);
});

test("planReplicaSet() does not count a pod whose deletion is on its way, nor delete it again", () => {
  const pods = ["a", "b", "c", "d", "e"].map((name) => pod(name));
  const { remove, create } = plan(pods, { deleting: ["a"] });
  assert.equal(create, 0);
  assert.equal(remove.length, 1);
  assert.notEqual(remove[0]?.metadata?.name, "a");
});

test("planReplicaSet() makes at most 500 pods at a time, and none when it is being deleted", () => {
  assert.equal(plan([], { set: replicaSet({ replicas: 5000 }) }).create, 500);
  const leaving = replicaSet();
  assert.equal(
    plan([], { set: { ...leaving, metadata: { ...leaving.metadata, deletionTimestamp: ago(1) } } }).create,
    0,
  );
});

test("planReplicaSet() says when a ready pod becomes available", () => {
  const set = replicaSet({ minReadySeconds: 30 });
  const pods = [pod("a", { readyFor: 10 }), pod("b", { readyFor: 25 }), pod("c", { readyFor: 60 })];
  assert.equal(plan(pods, { set }).lookAgainAfterMs, 5000);
  const status = replicaSetStatus(set, { active: pods, now });
  assert.deepEqual(status, {
    replicas: 3,
    fullyLabeledReplicas: 3,
    readyReplicas: 3,
    availableReplicas: 1,
    observedGeneration: 2,
  });
});

test("replicaSetStatus() tells why pods could not be made, until they can", () => {
  const failure = { reason: "FailedCreate", message: "quota exceeded" } as const;
  const failed = replicaSetStatus(replicaSet(), { active: [], now, failure });
  assert.deepEqual(failed.conditions, [
    { type: "ReplicaFailure", status: "True", ...failure, lastTransitionTime: "2026-11-20T08:00:00Z" },
  ]);
  const again = { reason: "FailedCreate", message: "quota exceeded by another pod" } as const;
  const failedAgain = replicaSetStatus({ ...replicaSet(), status: failed }, { active: [], now, failure: again });
  assert.deepEqual(failedAgain, failed, "the next try's message is no change, which would bring on the next try");
  assert.equal(replicaSetStatus({ ...replicaSet(), status: failed }, { active: [], now }).conditions, undefined);
});

test("podFromTemplate() names its ReplicaSet as controller and lets the server complete the name", () => {
  const { metadata } = podFromTemplate(replicaSet().spec?.template, {
    resource: resources.replicaSets,
    owner: replicaSet(),
  });
  assert.equal(metadata?.generateName, "web-");
  assert.deepEqual(metadata?.ownerReferences, [
    { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: "rs", controller: true, blockOwnerDeletion: true },
  ]);
});
