import assert from "node:assert/strict";
import { test } from "node:test";
import type { Lease, Node } from "../../api/generated/types.ts";
import { planNode } from "./index.ts";
import type { Sighting } from "./index.ts";

const now = Date.parse("2026-11-20T08:00:00Z");
const grace = { gracePeriodMs: 40_000, startupGracePeriodMs: 60_000 };

function node(conditions: Readonly<Record<string, string>> = { Ready: "True" }, spec: Node["spec"] = {}): Node {
  return {
    metadata: { name: "node-1", creationTimestamp: "2026-11-20T07:59:00Z" },
    spec,
    status: {
      conditions: Object.entries(conditions).map(([type, status]) => ({
        type,
        status,
        lastHeartbeatTime: "2026-11-20T07:59:30Z",
      })),
    },
  };
}

function lease(renewTime: string): Lease {
  return { spec: { renewTime } };
}

function seen(secondsAgo: number, renewTime: string): Sighting {
  return {
    seenAtMs: now - secondsAgo * 1000,
    lookedAtMs: now - 5000,
    renewTime,
    heartbeatTime: "2026-11-20T07:59:30Z",
  };
}

const taintsFor: readonly {
  readonly name: string;
  readonly node: Node;
  readonly expected: readonly string[] | undefined;
}[] = [
  { name: "ready", node: node(), expected: undefined },
  { name: "not ready", node: node({ Ready: "False" }), expected: ["not-ready:NoSchedule", "not-ready:NoExecute"] },
  { name: "unknown", node: node({ Ready: "Unknown" }), expected: ["unreachable:NoSchedule", "unreachable:NoExecute"] },
  {
    name: "memory pressure",
    node: node({ Ready: "True", MemoryPressure: "True" }),
    expected: ["memory-pressure:NoSchedule"],
  },
  { name: "cordoned", node: node({ Ready: "True" }, { unschedulable: true }), expected: ["unschedulable:NoSchedule"] },
  {
    name: "uncordoned",
    node: node({ Ready: "True" }, { taints: [{ key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }] }),
    expected: [],
  },
];

for (const { name, node: one, expected } of taintsFor) {
  test(`planNode() taints of a node: ${name}`, () => {
    const { taints } = planNode({ node: one, lease: undefined, sighting: undefined, now, ...grace });
    assert.deepEqual(
      taints?.map(({ key, effect }) => `${key.replace("node.kubernetes.io/", "")}:${effect}`),
      expected,
    );
  });
}

test("planNode() keeps the time of a taint that stays, and foreign taints", () => {
  const taints = [
    { key: "mine", effect: "NoSchedule" },
    { key: "node.kubernetes.io/not-ready", effect: "NoExecute", timeAdded: "2026-11-20T07:00:00Z" },
  ];
  const plan = planNode({
    node: node({ Ready: "False" }, { taints }),
    lease: undefined,
    sighting: undefined,
    now,
    ...grace,
  });
  assert.deepEqual(plan.taints, [
    { key: "mine", effect: "NoSchedule" },
    { key: "node.kubernetes.io/not-ready", effect: "NoSchedule", timeAdded: "2026-11-20T08:00:00Z" },
    { key: "node.kubernetes.io/not-ready", effect: "NoExecute", timeAdded: "2026-11-20T07:00:00Z" },
  ]);
});

test("planNode() counts from when we saw the lease change, not from the time the node wrote into it", () => {
  const renewed = planNode({
    node: node(),
    lease: lease("1999-01-01T00:00:01Z"),
    sighting: seen(50, "1999-01-01T00:00:00Z"),
    now,
    ...grace,
  });
  assert.equal(renewed.isReady, true);
  assert.equal(renewed.sighting.seenAtMs, now);
  assert.equal(renewed.lookAgainAfterMs, 40_001);
  const silent = planNode({
    node: node(),
    lease: lease("2099-01-01T00:00:00Z"),
    sighting: seen(41, "2099-01-01T00:00:00Z"),
    now,
    ...grace,
  });
  assert.equal(silent.isReady, false);
});

test("planNode() says so of a node that never gave a sign, after a longer time", () => {
  const never = (ageSeconds: number): Node => ({
    metadata: { name: "node-1", creationTimestamp: new Date(now - ageSeconds * 1000).toISOString() },
  });
  assert.equal(
    planNode({ node: never(59), lease: undefined, sighting: undefined, now, ...grace }).conditions,
    undefined,
  );
  const { conditions } = planNode({ node: never(61), lease: undefined, sighting: undefined, now, ...grace });
  assert.deepEqual(
    conditions?.map(({ type, status, reason, message }) => `${type}=${status} ${reason}: ${message}`),
    ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"].map(
      (type) => `${type}=Unknown NodeStatusNeverUpdated: Kubelet never posted node status.`,
    ),
  );
});

test("planNode() of a lost node changes nothing the second time", () => {
  const input = { lease: lease("a"), sighting: seen(41, "a"), now, ...grace };
  const { conditions, taints } = planNode({ node: node(), ...input });
  const lost: Node = { ...node(), spec: { taints: taints ?? [] }, status: { conditions: conditions ?? [] } };
  const again = planNode({ node: lost, ...input });
  assert.equal(again.conditions, undefined);
  assert.equal(again.taints, undefined);
});

test("planNode() does not take our own sleep for the node's silence", () => {
  const before = seen(3610, "a");
  const asleep = { ...before, lookedAtMs: now - 3_600_000 };
  const woken = planNode({ node: node(), lease: lease("a"), sighting: asleep, now, ...grace });
  assert.equal(woken.isReady, true);
  assert.equal(woken.lookAgainAfterMs, 30_001);
});

test("planNode() bears a clock that is set back: the silence before it still counts, and no more", () => {
  const before = seen(-3590, "a");
  const later = { ...before, lookedAtMs: now + 3_600_000 };
  const looked = planNode({ node: node(), lease: lease("a"), sighting: later, now, ...grace });
  assert.equal(looked.isReady, true);
  assert.equal(looked.lookAgainAfterMs, 30_001);
});
