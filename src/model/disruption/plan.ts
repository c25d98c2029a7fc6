/** What a disruption budget's status says: how many pods are well, how many must be, how many may go. Pure. */
import type { Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from "../../api/generated/types.ts";

export interface BudgetInput {
  readonly budget: PodDisruptionBudget;
  /** All that the selector matches. */
  readonly pods: readonly Pod[];
  /** How many pods the owners of these pods want together; undefined where an owner has no scale. */
  readonly expectedByOwners: number | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface BudgetPlan {
  readonly status: PodDisruptionBudgetStatus;
  /** When an eviction that never happened is forgotten. */
  readonly lookAgainAfterMs: number | undefined;
}

/** So long an evicted pod may take until its deletion is seen. */
const evictionPatienceMs = 120_000;

export function planBudget(input: BudgetInput): BudgetPlan {
  const { budget, pods, now } = input;
  const living = pods.filter(({ status }) => status?.phase !== "Succeeded" && status?.phase !== "Failed");
  const { disrupted, lookAgainAfterMs } = stillDisrupted(budget, pods, now);
  const expectation = expectationOf(input, living.length);
  if (typeof expectation === "string") {
    return { status: { ...failedStatus(budget, expectation, now), disruptedPods: disrupted }, lookAgainAfterMs };
  }
  const { expectedPods, desiredHealthy } = expectation;
  const currentHealthy = living.filter(
    (pod) => isWell(pod) && disrupted[pod.metadata?.name ?? ""] === undefined,
  ).length;
  const disruptionsAllowed = expectedPods > 0 ? Math.max(0, currentHealthy - desiredHealthy) : 0;
  const status: PodDisruptionBudgetStatus = {
    currentHealthy,
    desiredHealthy,
    disruptionsAllowed,
    expectedPods,
    ...(Object.keys(disrupted).length === 0 ? {} : { disruptedPods: disrupted }),
    ...(budget.metadata?.generation === undefined ? {} : { observedGeneration: budget.metadata.generation }),
    conditions: conditionsOf(budget, {
      status: disruptionsAllowed > 0 ? "True" : "False",
      reason: disruptionsAllowed > 0 ? "SufficientPods" : "InsufficientPods",
      message: "",
      now,
    }),
  };
  return { status, lookAgainAfterMs };
}

/** How many pods there should be and how many must be well; a text where nobody can say. */
function expectationOf(
  { budget, expectedByOwners }: BudgetInput,
  count: number,
): { readonly expectedPods: number; readonly desiredHealthy: number } | string {
  const { minAvailable, maxUnavailable } = budget.spec ?? {};
  if (maxUnavailable !== undefined) {
    if (expectedByOwners === undefined) return "found no controllers for pods";
    const allowed = scaled(maxUnavailable, expectedByOwners);
    return { expectedPods: expectedByOwners, desiredHealthy: Math.max(0, expectedByOwners - allowed) };
  }
  if (minAvailable === undefined) return { expectedPods: count, desiredHealthy: 0 };
  if (typeof minAvailable === "number") return { expectedPods: count, desiredHealthy: minAvailable };
  if (expectedByOwners === undefined) return "found no controllers for pods";
  return { expectedPods: expectedByOwners, desiredHealthy: scaled(minAvailable, expectedByOwners) };
}

/** A share is rounded up, of the unavailable as well: upstream's choice. */
function scaled(value: number | string, total: number): number {
  return typeof value === "number" ? value : Math.ceil((Number.parseInt(value, 10) * total) / 100);
}

function isWell({ metadata, status }: Pod): boolean {
  if (metadata?.deletionTimestamp !== undefined) return false;
  return status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") === true;
}

/** Evicted pods whose deletion is not seen yet. */
function stillDisrupted(
  { status }: PodDisruptionBudget,
  pods: readonly Pod[],
  now: number,
): { readonly disrupted: Readonly<Record<string, string>>; readonly lookAgainAfterMs: number | undefined } {
  const byName = new Map(pods.map((pod) => [pod.metadata?.name ?? "", pod]));
  let lookAgainAfterMs: number | undefined;
  const kept = Object.entries(status?.disruptedPods ?? {}).filter(([name, time]) => {
    const pod = byName.get(name);
    if (pod === undefined || pod.metadata?.deletionTimestamp !== undefined) return false;
    const left = Date.parse(time) + evictionPatienceMs - now;
    if (left > 0) lookAgainAfterMs = Math.min(lookAgainAfterMs ?? left, left);
    return left > 0;
  });
  return { disrupted: Object.fromEntries(kept), lookAgainAfterMs };
}

function failedStatus(budget: PodDisruptionBudget, message: string, now: number): PodDisruptionBudgetStatus {
  const { generation } = budget.metadata ?? {};
  return {
    currentHealthy: 0,
    desiredHealthy: 0,
    expectedPods: 0,
    ...budget.status,
    // Nobody may go while nobody knows how many there should be.
    disruptionsAllowed: 0,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    conditions: conditionsOf(budget, { status: "False", reason: "SyncFailed", message, now }),
  };
}

function conditionsOf(
  { status, metadata }: PodDisruptionBudget,
  next: { readonly status: string; readonly reason: string; readonly message: string; readonly now: number },
): NonNullable<PodDisruptionBudgetStatus["conditions"]> {
  const type = "DisruptionAllowed";
  const present = status?.conditions ?? [];
  const known = present.find((condition) => condition.type === type);
  const time = `${new Date(next.now).toISOString().slice(0, 19)}Z`;
  const condition = {
    type,
    status: next.status,
    reason: next.reason,
    message: next.message,
    lastTransitionTime: known?.status === next.status ? known.lastTransitionTime : time,
    ...(metadata?.generation === undefined ? {} : { observedGeneration: metadata.generation }),
  };
  return [...present.filter((other) => other.type !== type), condition];
}
