import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, PodDisruptionBudget, PodDisruptionBudgetSpec } from "../../api/generated/types.ts";
import { evictionVerdict, planBudget } from "./index.ts";

const now = Date.UTC(2026, 0, 1);

function pod(name: string, isReady = true): Pod {
  const conditions = [{ type: "Ready", status: isReady ? "True" : "False" }];
  return { metadata: { name }, status: { phase: "Running", conditions } };
}

const budget = (spec: PodDisruptionBudgetSpec, status?: PodDisruptionBudget["status"]): PodDisruptionBudget => ({
  metadata: { name: "web", generation: 1 },
  spec,
  ...(status === undefined ? {} : { status: { observedGeneration: 1, ...status } }),
});

const four = ["a", "b", "c", "d"].map((name) => pod(name));

const plans: readonly (readonly [
  string,
  PodDisruptionBudgetSpec,
  readonly Pod[],
  number | undefined,
  readonly number[],
])[] = [
  ["minAvailable as a number", { minAvailable: 3 }, four, undefined, [4, 3, 1]],
  ["minAvailable beyond what is there", { minAvailable: 9 }, four, undefined, [4, 9, 0]],
  ["minAvailable as a share, rounded up", { minAvailable: "51%" }, four, 4, [4, 3, 1]],
  ["maxUnavailable as a number", { maxUnavailable: 1 }, four, 4, [4, 3, 1]],
  ["maxUnavailable as a share, rounded up", { maxUnavailable: "30%" }, four, 4, [4, 2, 2]],
  ["pods that are still to come", { maxUnavailable: 1 }, four, 6, [4, 5, 0]],
  ["pods that are not ready", { minAvailable: 2 }, [...four.slice(0, 3), pod("d", false)], undefined, [3, 2, 1]],
];
for (const [name, spec, pods, expectedByOwners, expected] of plans) {
  test(`planBudget() with ${name}`, () => {
    const { status } = planBudget({ budget: budget(spec), pods, expectedByOwners, now });
    assert.deepEqual([status.currentHealthy, status.desiredHealthy, status.disruptionsAllowed], expected);
    assert.equal(status.observedGeneration, 1);
  });
}

test("planBudget() allows nothing where nobody says how many pods there should be", () => {
  const { status } = planBudget({
    budget: budget({ maxUnavailable: 1 }),
    pods: four,
    expectedByOwners: undefined,
    now,
  });
  assert.equal(status.disruptionsAllowed, 0);
  assert.equal(status.conditions?.[0]?.reason, "SyncFailed");
});

test("planBudget() counts an evicted pod as gone until its deletion is seen or two minutes are over", () => {
  const disruptedPods = { a: "2026-01-01T00:00:00Z", gone: "2026-01-01T00:00:00Z" };
  const stored = budget(
    { minAvailable: 1 },
    { currentHealthy: 4, desiredHealthy: 1, disruptionsAllowed: 2, expectedPods: 4, disruptedPods },
  );
  const early = planBudget({ budget: stored, pods: four, expectedByOwners: undefined, now: now + 60_000 });
  assert.deepEqual(early.status.disruptedPods, { a: "2026-01-01T00:00:00Z" });
  assert.equal(early.status.currentHealthy, 3);
  assert.equal(early.lookAgainAfterMs, 60_000);
  const late = planBudget({ budget: stored, pods: four, expectedByOwners: undefined, now: now + 120_000 });
  assert.equal(late.status.disruptedPods, undefined);
  assert.equal(late.status.currentHealthy, 4);
});

test("evictionVerdict() charges the budget, and refuses with its last pod", () => {
  const stored = budget(
    { minAvailable: 1 },
    { currentHealthy: 2, desiredHealthy: 1, disruptionsAllowed: 1, expectedPods: 2 },
  );
  const first = evictionVerdict(pod("a"), stored, { now });
  assert.equal(first.type, "allowed");
  const { status } = first as { status: NonNullable<PodDisruptionBudget["status"]> };
  assert.equal(status.disruptionsAllowed, 0);
  assert.deepEqual(status.disruptedPods, { a: "2026-01-01T00:00:00Z" });
  const second = evictionVerdict(pod("b"), { ...stored, status }, { now });
  assert.equal(second.type, "refused");
  const unseen = evictionVerdict(pod("a"), { ...stored, metadata: { name: "web", generation: 2 } }, { now });
  assert.deepEqual(unseen, {
    type: "refused",
    cause: { reason: "DisruptionBudget", message: "The disruption budget web is still being processed by the server." },
    retryAfterSeconds: 10,
  });
});

test("evictionVerdict() lets pods go that do not serve, where the budget is met or says so", () => {
  const counts = { currentHealthy: 1, desiredHealthy: 1, disruptionsAllowed: 0, expectedPods: 2 };
  assert.equal(evictionVerdict(pod("sick", false), budget({ minAvailable: 1 }, counts), { now }).type, "allowed");
  const unmet = { ...counts, currentHealthy: 0 };
  assert.equal(evictionVerdict(pod("sick", false), budget({ minAvailable: 1 }, unmet), { now }).type, "refused");
  const always = budget({ minAvailable: 1, unhealthyPodEvictionPolicy: "AlwaysAllow" }, unmet);
  assert.equal(evictionVerdict(pod("sick", false), always, { now }).type, "allowed");
});
