import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, PodSpec } from "../../api/generated/types.ts";
import { backOffEndMs, backOffText, raiseBackOff } from "./back-off.ts";
import type { BackOff } from "./back-off.ts";
import type { ContainerFacts, ContainerRun, PodFacts } from "./facts.ts";
import { planPod } from "./plan.ts";
import { planStatus, statusPatch } from "./status.ts";

const nowMs = Date.UTC(2026, 0, 1);

function run(
  state: Partial<ContainerRun["state"]> & { readonly type: "running" | "exited" },
  attempt = 0,
): ContainerRun {
  const base = { id: `id-${attempt}`, attempt, image: "busybox", imageId: "sha256:1" };
  if (state.type === "running") return { ...base, state: { type: "running", startedAtMs: nowMs - 1000 } };
  const ended = {
    startedAtMs: nowMs - 1000,
    finishedAtMs: nowMs,
    exitCode: 0,
    signal: 0,
    reason: "Completed",
    message: "",
  };
  return { ...base, state: { ...ended, ...state, type: "exited" } };
}

function facts(
  spec: Partial<PodSpec>,
  containers: Readonly<Record<string, Partial<ContainerFacts>>> = {},
  other: Partial<PodFacts> & { readonly metadata?: Pod["metadata"] } = {},
): PodFacts {
  const { metadata, ...rest } = other;
  const known = Object.entries(containers).map(([name, given]): [string, ContainerFacts] => [
    name,
    {
      current: undefined,
      previous: undefined,
      activity: "none",
      failure: undefined,
      isStarted: true,
      isReady: true,
      killCause: undefined,
      backOff: undefined,
      ...given,
    },
  ]);
  return {
    pod: {
      metadata: { name: "p", namespace: "default", uid: "u", ...metadata },
      spec: { containers: [{ name: "main" }], ...spec },
    },
    nowMs,
    sandbox: "ready",
    sandboxRetryAtMs: 0,
    ips: ["10.244.1.2"],
    hostIps: ["192.168.60.11"],
    startTimeMs: nowMs,
    containers: new Map(known),
    isGone: false,
    rejection: undefined,
    ...rest,
  };
}

const running = { current: run({ type: "running" }) };
const failed = { current: run({ type: "exited", exitCode: 1, reason: "Error" }) };
const done = { current: run({ type: "exited" }) };
const deleted = { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 30 } };
const sidecar = { name: "proxy", restartPolicy: "Always" };

for (const [what, given, actions] of [
  ["a new pod gets its network first", facts({}, {}, { sandbox: "none" }), ["attach-network"]],
  ["nothing is done while the network is made", facts({}, {}, { sandbox: "busy" }), []],
  ["then its container", facts({}), ["start main 0"]],
  [
    "containers start one after the other",
    facts({ containers: [{ name: "a" }, { name: "b" }] }, { a: { activity: "starting" } }),
    [],
  ],
  [
    "the next one needs not wait for readiness",
    facts({ containers: [{ name: "a" }, { name: "b" }] }, { a: { ...running, isReady: false } }),
    ["start b 0"],
  ],
  ["a first crash is restarted at once", facts({}, { main: failed }), ["start main 1"]],
  ["Never restarts nothing, the network goes", facts({ restartPolicy: "Never" }, { main: failed }), ["detach-network"]],
  ["OnFailure restarts failures", facts({ restartPolicy: "OnFailure" }, { main: failed }), ["start main 1"]],
  ["OnFailure is done with success", facts({ restartPolicy: "OnFailure" }, { main: done }), ["detach-network"]],
  ["init containers come first", facts({ initContainers: [{ name: "i" }, { name: "j" }] }, { i: done }), ["start j 0"]],
  [
    "an init container that ended well ends the wait",
    facts({ initContainers: [{ name: "i" }] }, { i: done }),
    ["start main 0"],
  ],
  [
    "a failed init container with Never ends the pod",
    facts({ restartPolicy: "Never", initContainers: [{ name: "i" }] }, { i: failed }),
    ["detach-network"],
  ],
  ["a failed init container runs again", facts({ initContainers: [{ name: "i" }] }, { i: failed }), ["start i 1"]],
  [
    "a sidecar that has not started holds the main ones",
    facts({ initContainers: [sidecar] }, { proxy: { ...running, isStarted: false } }),
    [],
  ],
  ["a started sidecar lets them go", facts({ initContainers: [sidecar] }, { proxy: running }), ["start main 0"]],
  [
    "a crashed sidecar runs again beside them, even with Never",
    facts({ restartPolicy: "Never", initContainers: [sidecar] }, { proxy: failed, main: running }),
    ["start proxy 1"],
  ],
  [
    "sidecars outlive a finished job no longer than it",
    facts({ restartPolicy: "Never", initContainers: [sidecar] }, { proxy: running, main: done }),
    ["stop proxy pod"],
  ],
  ["a deleted pod is stopped", facts({}, { main: running }, deleted), ["stop main pod"]],
  [
    "its sidecars last",
    facts({ initContainers: [sidecar] }, { proxy: running, main: running }, deleted),
    ["stop main pod"],
  ],
  ["what is being stopped is left alone", facts({}, { main: { ...running, activity: "stopping" } }, deleted), []],
  ["then it loses its network", facts({}, { main: done }, deleted), ["detach-network"]],
  ["then it is finished", facts({}, { main: done }, { ...deleted, sandbox: "none" }), ["finish"]],
  ["a start under way is waited for", facts({}, { main: { activity: "starting" } }, deleted), []],
  ["a pod gone from the API is stopped as well", facts({}, { main: running }, { isGone: true }), ["stop main pod"]],
  [
    "a dead container is killed for its probe",
    facts({}, { main: { ...running, killCause: "liveness" } }),
    ["stop main liveness"],
  ],
  [
    "a refused pod starts nothing",
    facts({}, {}, { sandbox: "none", rejection: { reason: "NodePorts", message: "" } }),
    [],
  ],
  [
    "a pod over its deadline is stopped",
    facts({ activeDeadlineSeconds: 5 }, { main: running }, { startTimeMs: nowMs - 5000 }),
    ["stop main pod"],
  ],
  [
    "ephemeral containers start at any time and once",
    facts({ ephemeralContainers: [{ name: "debug" }] }, { main: running }),
    ["start debug 0"],
  ],
  [
    "an ended ephemeral container stays ended",
    facts({ ephemeralContainers: [{ name: "debug" }] }, { main: running, debug: failed }),
    [],
  ],
] as const) {
  test(`planPod(): ${what}`, () => {
    const texts = planPod(given).actions.map((action) => {
      if (action.type === "start") return `start ${action.container} ${action.attempt}`;
      return action.type === "stop" ? `stop ${action.container} ${action.cause}` : action.type;
    });
    assert.deepEqual(texts, actions);
  });
}

test("planPod() waits for the back-off and says until when", () => {
  const backOff: BackOff = { delayMs: 20_000, raisedAtMs: nowMs };
  const plan = planPod(facts({}, { main: { ...failed, backOff } }, { nowMs: nowMs + 1000 }));
  assert.deepEqual(plan, { actions: [], wakeAtMs: nowMs + 20_000 });
});

test("planPod() starts a container lost with its runtime anew, counted as a restart", () => {
  const given = facts({});
  const status = {
    containerStatuses: [
      { name: "main", image: "", imageID: "", ready: true, restartCount: 4, containerID: "crun://x" },
    ],
  };
  const plan = planPod({ ...given, pod: { ...given.pod, status } });
  assert.deepEqual(plan.actions, [{ type: "start", container: "main", attempt: 5 }]);
});

test("the back-off doubles from 10 s to 5 min and starts anew after ten calm minutes", () => {
  let backOff: BackOff | undefined;
  const texts: string[] = [];
  for (let round = 0; round < 7; round += 1) {
    backOff = raiseBackOff(backOff, { nowMs, eventMs: nowMs });
    texts.push(backOffText(backOff));
  }
  assert.deepEqual(texts, ["10s", "20s", "40s", "1m20s", "2m40s", "5m0s", "5m0s"]);
  const calm = nowMs + 601_000;
  assert.equal(backOffEndMs(backOff, { eventMs: calm, nowMs: calm }), calm);
  assert.equal(raiseBackOff(backOff, { nowMs: calm, eventMs: calm }).delayMs, 10_000);
});

test("backOffEndMs() waits for no time that a clock which was set back has left behind", () => {
  const backOff = raiseBackOff(undefined, { nowMs, eventMs: nowMs });
  assert.equal(backOffEndMs(backOff, { eventMs: nowMs, nowMs: nowMs + 1000 }), nowMs + 10_000);
  const earlier = nowMs - 7_200_000;
  assert.equal(backOffEndMs(backOff, { eventMs: nowMs, nowMs: earlier }), earlier);
});

for (const [what, given, phase, reason] of [
  ["nothing has run", facts({}), "Pending", "ContainersNotReady"],
  ["it runs", facts({}, { main: running }), "Running", undefined],
  ["it crashed", facts({}, { main: failed }), "Running", "ContainersNotReady"],
  ["it succeeded", facts({ restartPolicy: "Never" }, { main: done }), "Succeeded", "PodCompleted"],
  ["it failed", facts({ restartPolicy: "Never" }, { main: failed }), "Failed", "PodFailed"],
  [
    "a process is left of an ending pod",
    facts({}, { main: { ...running, activity: "stopping" } }, deleted),
    "Running",
    undefined,
  ],
  ["it was refused", facts({}, {}, { rejection: { reason: "NodePorts", message: "" } }), "Failed", "PodFailed"],
  [
    "it obeyed when its time was over",
    facts({ activeDeadlineSeconds: 5 }, { main: done }, { startTimeMs: nowMs - 5000 }),
    "Failed",
    "PodFailed",
  ],
] as const) {
  test(`planStatus() when ${what}: ${phase}`, () => {
    const status = planStatus(given);
    assert.equal(status.phase, phase);
    assert.equal(status.conditions?.find(({ type }) => type === "Ready")?.reason, reason);
  });
}

test("planStatus() does not blame the deadline for a pod that had ended before it", () => {
  const ended = facts({ activeDeadlineSeconds: 5 }, { main: done }, { startTimeMs: nowMs - 5000 });
  const { phase, reason } = planStatus({ ...ended, pod: { ...ended.pod, status: { phase: "Succeeded" } } });
  assert.deepEqual({ phase, reason }, { phase: "Succeeded", reason: undefined });
});

test("planStatus() keeps transition times while a condition stays as it was", () => {
  const given = facts({}, { main: running });
  const before = "2025-12-31T00:00:00Z";
  const conditions = [{ type: "Ready", status: "True", lastTransitionTime: before }];
  const status = planStatus({ ...given, pod: { ...given.pod, status: { conditions } } });
  const times = Object.fromEntries(
    (status.conditions ?? []).map(({ type, lastTransitionTime }) => [type, lastTransitionTime]),
  );
  assert.equal(times["Ready"], before);
  assert.equal(times["ContainersReady"], "2026-01-01T00:00:00Z");
});

test("planStatus() names a readiness gate that is not open", () => {
  const status = planStatus(facts({ readinessGates: [{ conditionType: "lb/ready" }] }, { main: running }));
  const ready = status.conditions?.find(({ type }) => type === "Ready");
  assert.deepEqual(
    [ready?.status, ready?.reason, ready?.message],
    ["False", "ReadinessGatesNotReady", 'corresponding condition of pod readiness gate "lb/ready" does not exist.'],
  );
});

test("statusPatch() is undefined when the API says the same, and else holds only what differs", () => {
  const given = facts({}, { main: running });
  const wanted = planStatus(given);
  const pod = { ...given.pod, status: wanted };
  assert.equal(statusPatch(pod, wanted), undefined);
  const unready = planStatus({ ...facts({}, { main: { ...running, isReady: false } }), pod });
  const patch = statusPatch(pod, unready) as { status: { conditions: readonly { type: string }[] } };
  assert.deepEqual(Object.keys(patch.status), ["conditions", "containerStatuses"]);
  assert.deepEqual(
    patch.status.conditions.map(({ type }) => type),
    ["Ready", "ContainersReady"],
  );
});

test("statusPatch() takes away a reason that no longer holds", () => {
  const given = facts({}, { main: { ...running, isReady: false } });
  const pod = { ...given.pod, status: planStatus(given) };
  const patch = statusPatch(pod, planStatus({ ...facts({}, { main: running }), pod })) as {
    status: { conditions: readonly object[] };
  };
  const [ready] = patch.status.conditions;
  assert.deepEqual(ready, {
    type: "Ready",
    status: "True",
    lastTransitionTime: "2026-01-01T00:00:00Z",
    reason: null,
    message: null,
  });
});
