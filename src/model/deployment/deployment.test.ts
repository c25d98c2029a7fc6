import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Deployment, ReplicaSet } from "../../api/generated/types.ts";
import { boundsOf, specReplicas } from "./arithmetic.ts";
import { planDeployment } from "./index.ts";

const now = Date.parse("2026-11-20T08:00:00Z");

function deployment(
  replicas: number,
  rollingUpdate: { readonly maxSurge?: number | string; readonly maxUnavailable?: number | string } = {},
  image = "nginx:2",
): Deployment {
  return {
    metadata: { namespace: "default", name: "web", uid: "d", generation: 1 },
    spec: {
      replicas,
      selector: { matchLabels: { app: "web" } },
      strategy: { type: "RollingUpdate", rollingUpdate },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "web", image }] } },
    },
  };
}

const bounds: readonly (readonly [
  number,
  number | string,
  number | string,
  { maxSurge: number; maxUnavailable: number },
])[] = [
  [3, "25%", "25%", { maxSurge: 1, maxUnavailable: 0 }],
  [4, "25%", "25%", { maxSurge: 1, maxUnavailable: 1 }],
  [10, "33%", "33%", { maxSurge: 4, maxUnavailable: 3 }],
  [10, 0, 0, { maxSurge: 0, maxUnavailable: 1 }],
  [2, 0, 5, { maxSurge: 0, maxUnavailable: 2 }],
  [5, "100%", 0, { maxSurge: 5, maxUnavailable: 0 }],
];

for (const [replicas, maxSurge, maxUnavailable, expected] of bounds) {
  test(`boundsOf() ${replicas} replicas, surge ${maxSurge}, unavailable ${maxUnavailable}`, () => {
    assert.deepEqual(boundsOf(deployment(replicas, { maxSurge, maxUnavailable })), { replicas, ...expected });
  });
}

/** A cluster of ReplicaSets in which pods come up and the status follows when the hand of the test says so. */
class Simulation {
  sets: readonly ReplicaSet[] = [];
  /** What is so, whether the status says it yet or not. */
  readonly ready = new Map<string, number>();
  #serial = 0;

  apply(of: Deployment): number {
    const plan = planDeployment({ deployment: of, replicaSets: this.sets, runningPods: () => 0, now });
    const changed = new Map(plan.update.map((set) => [set.metadata?.name, set]));
    this.sets = this.sets.map((set) => changed.get(set.metadata?.name) ?? set);
    if (plan.create !== undefined) {
      this.#serial += 1;
      const metadata = { ...plan.create.metadata, creationTimestamp: new Date(now + this.#serial).toISOString() };
      this.sets = [...this.sets, { ...plan.create, metadata }];
    }
    // Scaling down takes pods that are not ready first, at once.
    for (const set of this.sets) {
      const name = set.metadata?.name ?? "";
      this.ready.set(name, Math.min(this.ready.get(name) ?? 0, specReplicas(set)));
    }
    return plan.update.length + (plan.create === undefined ? 0 : 1);
  }

  /** One more pod of the set becomes ready. */
  comeUp(index: number): void {
    const set = this.sets[index % Math.max(this.sets.length, 1)];
    const name = set?.metadata?.name ?? "";
    if (set !== undefined) this.ready.set(name, Math.min((this.ready.get(name) ?? 0) + 1, specReplicas(set)));
  }

  /** The set's status tells how things are. */
  report(index: number): void {
    this.sets = this.sets.map((set, at) => {
      if (at !== index % this.sets.length) return set;
      const count = this.ready.get(set.metadata?.name ?? "") ?? 0;
      return { ...set, status: { replicas: specReplicas(set), readyReplicas: count, availableReplicas: count } };
    });
  }

  get totalReady(): number {
    return [...this.ready.values()].reduce((sum, count) => sum + count, 0);
  }

  settle(of: Deployment): void {
    let quietRounds = 0;
    for (let round = 0; round < 200; round += 1) {
      quietRounds = this.apply(of) === 0 ? quietRounds + 1 : 0;
      for (const [index, set] of this.sets.entries()) {
        for (let pod = 0; pod < specReplicas(set); pod += 1) this.comeUp(index);
        this.report(index);
      }
      // One round brings what came up into the statuses, the next shows that nothing follows from it.
      if (quietRounds === 2) return;
    }
    assert.fail(`does not settle: ${JSON.stringify(this.sets.map(specReplicas))}`);
  }
}

test("a rolling update keeps its bounds whatever comes up when and however late statuses are, and ends", () => {
  const percent = fc.integer({ min: 0, max: 100 }).map((value) => `${value}%`);
  const amount = fc.oneof(fc.integer({ min: 0, max: 5 }), percent);
  const step = fc.record({ kind: fc.constantFrom("apply", "comeUp", "report"), index: fc.nat(3) });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      amount,
      amount,
      fc.array(step, { maxLength: 80 }),
      (replicas, maxSurge, maxUnavailable, steps) => {
        const before = deployment(replicas, { maxSurge, maxUnavailable }, "nginx:1");
        const after = deployment(replicas, { maxSurge, maxUnavailable }, "nginx:2");
        const simulation = new Simulation();
        simulation.settle(before);
        const limits = boundsOf(after);
        for (const { kind, index } of steps) {
          if (kind === "apply") simulation.apply(after);
          else if (kind === "comeUp") simulation.comeUp(index);
          else simulation.report(index);
          const total = simulation.sets.reduce((sum, set) => sum + specReplicas(set), 0);
          assert.ok(total <= replicas + limits.maxSurge, `${total} pods`);
          assert.ok(simulation.totalReady >= replicas - limits.maxUnavailable, `${simulation.totalReady} ready`);
        }
        simulation.settle(after);
        const sizes = simulation.sets.map((set) => [set.spec?.template?.spec?.containers[0]?.image, specReplicas(set)]);
        assert.deepEqual(sizes, [
          ["nginx:1", 0],
          ["nginx:2", replicas],
        ]);
      },
    ),
    { numRuns: 300 },
  );
});

test("scaling amid a rollout shares the change by size", () => {
  const simulation = new Simulation();
  simulation.settle(deployment(10, { maxSurge: 3, maxUnavailable: 2 }, "nginx:1"));
  // The new pods never come up: 8 old and 5 new ones, as in upstream's documentation.
  for (let round = 0; round < 5; round += 1) {
    simulation.apply(deployment(10, { maxSurge: 3, maxUnavailable: 2 }, "nginx:2"));
    for (const index of [0, 1]) simulation.report(index);
  }
  assert.deepEqual(simulation.sets.map(specReplicas), [8, 5]);
  simulation.apply(deployment(15, { maxSurge: 3, maxUnavailable: 2 }, "nginx:2"));
  assert.deepEqual(simulation.sets.map(specReplicas), [11, 7]);
});
