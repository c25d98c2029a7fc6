/** The pod's conditions with upstream's reasons and messages. */
import type { ContainerStatus, PodCondition } from "../../api/generated/types.ts";
import { factsOf, isSidecar } from "./facts.ts";
import type { PodFacts } from "./facts.ts";
import type { PodPhase } from "./phase.ts";
import { isInitDone } from "./plan.ts";
import { isoSeconds } from "./time.ts";

type Verdict = Pick<PodCondition, "type" | "status" | "reason" | "message">;

/** The kubelet's own conditions, in upstream's order; each keeps its transition time while its status stays the same. */
export function podConditions(
  facts: PodFacts,
  phase: PodPhase,
  statuses: { readonly main: readonly ContainerStatus[]; readonly init: readonly ContainerStatus[] },
): readonly PodCondition[] {
  const containersReady = judgeContainers(facts, phase, statuses);
  const verdicts: readonly Verdict[] = [
    { type: "PodReadyToStartContainers", status: facts.sandbox === "ready" ? "True" : "False" },
    judgeInitialized(facts, phase),
    judgeReady(facts, containersReady),
    containersReady,
    { type: "PodScheduled", status: "True" },
  ];
  return verdicts.map((verdict) => withTransition(facts, verdict));
}

function withTransition({ pod, nowMs }: PodFacts, verdict: Verdict): PodCondition {
  const before = pod.status?.conditions?.find(({ type }) => type === verdict.type);
  const isSame = before?.status === verdict.status && before.lastTransitionTime !== undefined;
  const { generation } = pod.metadata ?? {};
  return {
    ...verdict,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    lastTransitionTime:
      isSame && before.lastTransitionTime !== undefined ? before.lastTransitionTime : isoSeconds(nowMs),
  };
}

function judgeInitialized(facts: PodFacts, phase: PodPhase): Verdict {
  if (phase === "Succeeded") return { type: "Initialized", status: "True", reason: "PodCompleted" };
  const wasInitialized = (facts.pod.spec?.containers ?? []).some(
    ({ name }) => factsOf(facts, name).current !== undefined,
  );
  const incomplete = wasInitialized
    ? []
    : (facts.pod.spec?.initContainers ?? []).filter(
        (container) => !isInitDone(container, factsOf(facts, container.name)),
      );
  if (incomplete.length === 0) return { type: "Initialized", status: "True" };
  const names = incomplete.map(({ name }) => name).join(" ");
  const message = `containers with incomplete status: [${names}]`;
  return { type: "Initialized", status: "False", reason: "ContainersNotInitialized", message };
}

function judgeContainers(
  facts: PodFacts,
  phase: PodPhase,
  statuses: { readonly main: readonly ContainerStatus[]; readonly init: readonly ContainerStatus[] },
): Verdict {
  const type = "ContainersReady";
  if (phase === "Succeeded") return { type, status: "False", reason: "PodCompleted" };
  if (phase === "Failed") return { type, status: "False", reason: "PodFailed" };
  const sidecars = new Set((facts.pod.spec?.initContainers ?? []).filter(isSidecar).map(({ name }) => name));
  const counted = [...statuses.init.filter(({ name }) => sidecars.has(name)), ...statuses.main];
  const unready = counted.filter(({ ready }) => !ready).map(({ name }) => name);
  if (unready.length === 0) return { type, status: "True" };
  const message = `containers with unready status: [${unready.join(" ")}]`;
  return { type, status: "False", reason: "ContainersNotReady", message };
}

function judgeReady({ pod }: PodFacts, containersReady: Verdict): Verdict {
  if (containersReady.status !== "True") return { ...containersReady, type: "Ready" };
  const conditions = pod.status?.conditions ?? [];
  const problems: string[] = [];
  for (const { conditionType } of pod.spec?.readinessGates ?? []) {
    const gate = conditions.find(({ type }) => type === conditionType);
    if (gate === undefined)
      problems.push(`corresponding condition of pod readiness gate "${conditionType}" does not exist.`);
    else if (gate.status !== "True") {
      problems.push(`the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status}`);
    }
  }
  if (problems.length === 0) return { type: "Ready", status: "True" };
  return { type: "Ready", status: "False", reason: "ReadinessGatesNotReady", message: problems.join(", ") };
}
