/** Whether containers run again, and what phase that makes. */
import type { Container } from "../../api/generated/types.ts";
import { isPastDeadline } from "./deadline.ts";
import { factsOf, isRunning, isSidecar, mayRun } from "./facts.ts";
import type { PodFacts } from "./facts.ts";

export type PodPhase = "Pending" | "Running" | "Succeeded" | "Failed";

/** Whether the container, now ended, is to be started again while the pod lives. */
export function willRestart(facts: PodFacts, name: string): boolean {
  const { initContainers = [], ephemeralContainers = [], restartPolicy = "Always" } = facts.pod.spec ?? {};
  if (ephemeralContainers.some((container) => container.name === name)) return false;
  const run = factsOf(facts, name).current;
  if (run?.state.type !== "exited") return false;
  const init = initContainers.find((container) => container.name === name);
  if (init !== undefined && isSidecar(init)) return true;
  const hasFailed = run.state.exitCode !== 0;
  if (restartPolicy === "Never") return false;
  // An init container runs until it succeeds once, whether the policy is Always or OnFailure.
  return hasFailed || (init === undefined && restartPolicy === "Always");
}

/** Whether all main containers have ended for good, or initialization failed for good: then the pod is taken down. */
export function isTerminal(facts: PodFacts): boolean {
  const known = facts.pod.status?.phase;
  if (known === "Succeeded" || known === "Failed") return true;
  return hasFailedToInitialize(facts) || haveEndedForGood(facts);
}

function haveEndedForGood(facts: PodFacts): boolean {
  const containers = facts.pod.spec?.containers ?? [];
  return containers.length > 0 && containers.every((container) => hasEndedForGood(facts, container));
}

function hasEndedForGood(facts: PodFacts, { name }: Container): boolean {
  return factsOf(facts, name).current?.state.type === "exited" && !willRestart(facts, name);
}

function hasFailedToInitialize(facts: PodFacts): boolean {
  return (facts.pod.spec?.initContainers ?? []).some((container) => {
    const run = factsOf(facts, container.name).current;
    return run?.state.type === "exited" && run.state.exitCode !== 0 && !willRestart(facts, container.name);
  });
}

/** @param isEnding - The pod is being taken down: what has ended then does not come back. */
export function phaseOf(facts: PodFacts, isEnding: boolean): PodPhase {
  const known = facts.pod.status?.phase;
  if (known === "Succeeded" || known === "Failed") return known;
  const containers = facts.pod.spec?.containers ?? [];
  const runs = containers.map(({ name }) => factsOf(facts, name).current?.state);
  const live = runs.some((state) => state?.type === "running") ? "Running" : "Pending";
  if (isEnding) {
    // A terminal phase promises that no process is left.
    if (mayRun(facts)) return live;
    if (facts.rejection !== undefined || isPastDeadline(facts)) return "Failed";
    return runs.every((state) => state?.type === "exited" && state.exitCode === 0) ? "Succeeded" : "Failed";
  }
  const isWaiting = runs.some((state) => state === undefined);
  const hasUnfinishedInit = (facts.pod.spec?.initContainers ?? []).some(
    (container) => !isSidecar(container) && isRunning(factsOf(facts, container.name)),
  );
  return isWaiting || hasUnfinishedInit ? "Pending" : "Running";
}
