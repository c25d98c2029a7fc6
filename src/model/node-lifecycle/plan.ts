/** Whether a node is alive, and what its conditions and taints say about it. */
import type { Lease, Node, NodeCondition, Taint } from "../../api/generated/types.ts";

/** When the node last gave a sign of life, on our own clock: the clocks of nodes may be wrong. */
export interface Sighting {
  readonly seenAtMs: number;
  /** When we last looked. */
  readonly lookedAtMs: number;
  readonly renewTime: string | undefined;
  readonly heartbeatTime: string | undefined;
}

export interface NodeInput {
  readonly node: Node;
  readonly lease: Lease | undefined;
  /** Of the last look; undefined at the first one. */
  readonly sighting: Sighting | undefined;
  readonly gracePeriodMs: number;
  readonly startupGracePeriodMs: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface NodePlan {
  readonly sighting: Sighting;
  /** Undefined where they are right. */
  readonly conditions: readonly NodeCondition[] | undefined;
  readonly taints: readonly Taint[] | undefined;
  readonly isReady: boolean;
  /** When it counts as lost unless it gives another sign. */
  readonly lookAgainAfterMs: number | undefined;
}

export function planNode(input: NodeInput): NodePlan {
  const { node, now, gracePeriodMs, startupGracePeriodMs } = input;
  const sighting = sightingOf(input);
  const present = node.status?.conditions ?? [];
  const ready = present.find(({ type }) => type === "Ready");
  const grace = ready === undefined ? startupGracePeriodMs : gracePeriodMs;
  const lostAtMs = sighting.seenAtMs + grace;
  const isLost = now > lostAtMs;
  const conditions = isLost ? lostConditions(node, now) : present;
  const status = conditions.find(({ type }) => type === "Ready")?.status ?? "Unknown";
  const taints = taintsOf(node, conditions, now);
  return {
    sighting,
    conditions: conditions === present ? undefined : conditions,
    taints: sameTaints(taints, node.spec?.taints ?? []) ? undefined : taints,
    isReady: status === "True",
    lookAgainAfterMs: isLost ? undefined : lostAtMs - now + 1,
  };
}

/** A renewed lease or a newer heartbeat in the status is a sign of life. */
function sightingOf({ node, lease, sighting, now, gracePeriodMs }: NodeInput): Sighting {
  const renewTime = lease?.spec?.renewTime;
  const heartbeatTime = node.status?.conditions?.find(({ type }) => type === "Ready")?.lastHeartbeatTime;
  const createdAt = Date.parse(node.metadata?.creationTimestamp ?? "");
  const neverSeen = renewTime === undefined && heartbeatTime === undefined && !Number.isNaN(createdAt);
  const facts = { lookedAtMs: now, renewTime, heartbeatTime };
  if (sighting === undefined) return { seenAtMs: neverSeen ? createdAt : now, ...facts };
  const isAlive = sighting.renewTime !== renewTime || sighting.heartbeatTime !== heartbeatTime;
  if (isAlive) return { seenAtMs: now, ...facts };
  // We look far more often than this, and never backwards: it was we who slept (a suspended laptop), and the nodes with
  // us, or the machine's clock was set.
  const notLookedMs = now - sighting.lookedAtMs;
  const sleptMs = notLookedMs > gracePeriodMs / 2 || notLookedMs < 0 ? notLookedMs : 0;
  return { seenAtMs: sighting.seenAtMs + sleptMs, ...facts };
}

const reportedConditions = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

function lostConditions({ metadata, status }: Node, now: number): readonly NodeCondition[] {
  const time = new Date(now).toISOString().replace(/\.\d+Z$/, "Z");
  const present = status?.conditions ?? [];
  const missing = reportedConditions.filter((type) => !present.some((condition) => condition.type === type));
  const lost = present.map((condition): NodeCondition => {
    if (!reportedConditions.includes(condition.type) || condition.status === "Unknown") return condition;
    return {
      ...condition,
      status: "Unknown",
      reason: "NodeStatusUnknown",
      message: "Kubelet stopped posting node status.",
      lastTransitionTime: time,
    };
  });
  if (missing.length === 0 && lost.every((condition, index) => condition === present[index])) return present;
  const created = metadata?.creationTimestamp ?? time;
  const never = missing.map((type) => ({
    type,
    status: "Unknown",
    reason: "NodeStatusNeverUpdated",
    message: "Kubelet never posted node status.",
    lastHeartbeatTime: created,
    lastTransitionTime: time,
  }));
  return [...lost, ...never];
}

/** Which taint which state of a condition asks for. */
const conditionTaints: readonly { readonly type: string; readonly status: string; readonly key: string }[] = [
  { type: "Ready", status: "False", key: "node.kubernetes.io/not-ready" },
  { type: "Ready", status: "Unknown", key: "node.kubernetes.io/unreachable" },
  { type: "MemoryPressure", status: "True", key: "node.kubernetes.io/memory-pressure" },
  { type: "DiskPressure", status: "True", key: "node.kubernetes.io/disk-pressure" },
  { type: "NetworkUnavailable", status: "True", key: "node.kubernetes.io/network-unavailable" },
  { type: "PIDPressure", status: "True", key: "node.kubernetes.io/pid-pressure" },
];
const unschedulableKey = "node.kubernetes.io/unschedulable";

function taintsOf({ spec }: Node, conditions: readonly NodeCondition[], now: number): readonly Taint[] {
  const wanted: Taint[] = [];
  for (const { type, status, key } of conditionTaints) {
    if (!conditions.some((condition) => condition.type === type && condition.status === status)) continue;
    wanted.push({ key, effect: "NoSchedule" });
    // A node that does not serve also loses the pods it has, after what they tolerate.
    if (type === "Ready") wanted.push({ key, effect: "NoExecute" });
  }
  if (spec?.unschedulable === true) wanted.push({ key: unschedulableKey, effect: "NoSchedule" });
  const ownKeys = new Set([...conditionTaints.map(({ key }) => key), unschedulableKey]);
  const present = spec?.taints ?? [];
  const foreign = present.filter(({ key }) => !ownKeys.has(key));
  const time = new Date(now).toISOString().replace(/\.\d+Z$/, "Z");
  return [
    ...foreign,
    ...wanted.map((taint) => present.find((known) => isSame(known, taint)) ?? { ...taint, timeAdded: time }),
  ];
}

function isSame(a: Taint, b: Taint): boolean {
  return a.key === b.key && a.effect === b.effect;
}

function sameTaints(a: readonly Taint[], b: readonly Taint[]): boolean {
  return a.length === b.length && a.every((taint) => b.some((other) => isSame(taint, other)));
}
