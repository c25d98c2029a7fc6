/** Decides what is to be done next for one pod: start, stop, restart its containers, make and remove its network. */
import type { Container, EphemeralContainer } from "../../api/generated/types.ts";
import { backOffEndMs, longestRetryMs, notFurtherThan } from "./back-off.ts";
import { deadlineMs, isPastDeadline } from "./deadline.ts";
import { factsOf, failureVisibleMs, isRunning, isSidecar, mayRun } from "./facts.ts";
import type { ContainerFacts, KillCause, PodFacts } from "./facts.ts";
import { isTerminal, willRestart } from "./phase.ts";

export type PodAction =
  | { readonly type: "attach-network" }
  /** `attempt` is what the run's restart count shall be. */
  | { readonly type: "start"; readonly container: string; readonly attempt: number }
  | { readonly type: "stop"; readonly container: string; readonly id: string; readonly cause: KillCause | "pod" }
  | { readonly type: "detach-network" }
  /** Nothing of the pod is left on the node: take it out of the API. */
  | { readonly type: "finish" };

export interface PodPlan {
  readonly actions: readonly PodAction[];
  /** When to plan again even though nothing happens; undefined: not before something does. */
  readonly wakeAtMs: number | undefined;
}

/** Deadline and phase are judged here too: a pod that is done, refused, deleted or over its deadline is taken down. */
export function planPod(facts: PodFacts): PodPlan {
  const wakes = new Set<number>();
  const actions = isEnding(facts) ? planEnd(facts) : planLife(facts, wakes);
  const deadline = deadlineMs(facts);
  if (deadline !== undefined) wakes.add(deadline);
  const next = [...wakes].filter((at) => at > facts.nowMs);
  return { actions, wakeAtMs: next.length === 0 ? undefined : Math.min(...next) };
}

/** Whether the pod is to be taken down, for whatever reason. */
export function isEnding(facts: PodFacts): boolean {
  return (
    facts.isGone ||
    facts.pod.metadata?.deletionTimestamp !== undefined ||
    facts.rejection !== undefined ||
    isPastDeadline(facts) ||
    isTerminal(facts)
  );
}

function planEnd(facts: PodFacts): readonly PodAction[] {
  const stops = stopsOf(facts);
  if (stops.length > 0) return stops;
  if (mayRun(facts)) return [];
  if (facts.sandbox === "ready") return [{ type: "detach-network" }];
  if (facts.sandbox === "busy") return [];
  const isDeleted = facts.isGone || facts.pod.metadata?.deletionTimestamp !== undefined;
  return isDeleted ? [{ type: "finish" }] : [];
}

/** Everything but the sidecars together; these afterwards, the last started first, because the others may need them. */
function stopsOf(facts: PodFacts): readonly PodAction[] {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = facts.pod.spec ?? {};
  const stop = ({ name }: { readonly name: string }): readonly PodAction[] => {
    const { current, activity } = factsOf(facts, name);
    if (current?.state.type !== "running" || activity === "stopping") return [];
    return [{ type: "stop", container: name, id: current.id, cause: "pod" }];
  };
  const first = [...initContainers.filter((container) => !isSidecar(container)), ...containers, ...ephemeralContainers];
  const stops = first.flatMap(stop);
  const isBusy = ({ name }: { readonly name: string }): boolean => {
    const container = factsOf(facts, name);
    return isRunning(container) || container.activity !== "none";
  };
  if (stops.length > 0 || first.some(isBusy)) return stops;
  const lastSidecar = initContainers.filter(isSidecar).toReversed().find(isBusy);
  return lastSidecar === undefined ? [] : stop(lastSidecar);
}

function planLife(facts: PodFacts, wakes: Set<number>): readonly PodAction[] {
  if (facts.sandbox === "busy") return [];
  if (facts.sandbox === "none") {
    const dueMs = notFurtherThan(longestRetryMs, { atMs: facts.sandboxRetryAtMs, nowMs: facts.nowMs });
    if (dueMs <= facts.nowMs) return [{ type: "attach-network" }];
    wakes.add(dueMs);
    return [];
  }
  const kills = killsOf(facts);
  if (kills.length > 0) return kills;
  // One start at a time: a container's image, start and postStart hook come before the next one's.
  const isStarting = [...facts.containers.values()].some((container) => container.activity === "starting");
  let first: PodAction | undefined;
  for (const container of startable(facts)) {
    const start = planStart(facts, container, wakes);
    if (start !== undefined) first ??= start;
  }
  return isStarting || first === undefined ? [] : [first];
}

function killsOf(facts: PodFacts): readonly PodAction[] {
  const kills: PodAction[] = [];
  for (const [name, { current, activity, killCause }] of facts.containers) {
    if (killCause === undefined || activity !== "none" || current?.state.type !== "running") continue;
    kills.push({ type: "stop", container: name, id: current.id, cause: killCause });
  }
  return kills;
}

/** The containers whose turn it is: init containers up to the first unfinished one, then all the others. */
function startable(facts: PodFacts): readonly (Container | EphemeralContainer)[] {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = facts.pod.spec ?? {};
  // A main container that once ran proves that initialization was done: it is not repeated for lost records. After the
  // node was off the whole pod begins anew.
  const wasInitialized = containers.some(({ name }) => {
    const { current } = factsOf(facts, name);
    return current !== undefined && current.isLost !== true;
  });
  const turn: Container[] = [];
  for (const container of initContainers) {
    if (isSidecar(container) || !wasInitialized) turn.push(container);
    if (!wasInitialized && !isInitDone(container, factsOf(facts, container.name)))
      return [...turn, ...ephemeralContainers];
  }
  return [...turn, ...containers, ...ephemeralContainers];
}

/** A regular one has ended well; a sidecar has started. */
export function isInitDone(container: Container, { current, isStarted }: ContainerFacts): boolean {
  if (isSidecar(container)) return current?.state.type === "running" && isStarted;
  return current?.state.type === "exited" && current.state.exitCode === 0;
}

function planStart(
  facts: PodFacts,
  container: Container | EphemeralContainer,
  wakes: Set<number>,
): PodAction | undefined {
  const { current, activity, failure, backOff } = factsOf(facts, container.name);
  if (activity !== "none" || current?.state.type === "running") return undefined;
  if (current !== undefined && !willRestart(facts, container.name)) return undefined;
  const attempt = current === undefined ? firstAttempt(facts, container.name) : current.attempt + 1;
  const { nowMs } = facts;
  const dueMs = Math.max(
    failure === undefined ? 0 : notFurtherThan(longestRetryMs, { atMs: failure.retryAtMs, nowMs }),
    current === undefined ? 0 : backOffEndMs(backOff, { eventMs: current.state.finishedAtMs, nowMs }),
  );
  if (dueMs <= facts.nowMs) return { type: "start", container: container.name, attempt };
  wakes.add(dueMs);
  wakes.add((failure?.failedAtMs ?? current?.state.finishedAtMs ?? 0) + failureVisibleMs);
  return undefined;
}

/** 0, or one more than status says where the runtime has lost a container that ran before. */
function firstAttempt({ pod }: PodFacts, name: string): number {
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  const known = statuses.find((status) => status.name === name);
  return known?.containerID === undefined || known.containerID === "" ? 0 : known.restartCount + 1;
}
