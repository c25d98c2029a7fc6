/** The status of each container as upstream words it. */
import type { Container, ContainerState, ContainerStatus, EphemeralContainer } from "../../api/generated/types.ts";
import { backOffEndMs, backOffText } from "./back-off.ts";
import { factsOf, failureVisibleMs, isSidecar } from "./facts.ts";
import type { ContainerFacts, ContainerRun, PodFacts } from "./facts.ts";
import { isEnding } from "./plan.ts";
import { willRestart } from "./phase.ts";
import { isoSeconds } from "./time.ts";

type AnyContainer = Container | EphemeralContainer;

/** Main and ephemeral containers by name, init containers in the order in which they run. */
export function containerStatuses(facts: PodFacts): {
  readonly main: readonly ContainerStatus[];
  readonly init: readonly ContainerStatus[];
  readonly ephemeral: readonly ContainerStatus[];
} {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = facts.pod.spec ?? {};
  return {
    main: containers.toSorted(byName).map((container) => statusOf(facts, container, "main")),
    init: initContainers.map((container) => statusOf(facts, container, isSidecar(container) ? "main" : "init")),
    ephemeral: ephemeralContainers.toSorted(byName).map((container) => statusOf(facts, container, "ephemeral")),
  };
}

function byName(a: AnyContainer, b: AnyContainer): number {
  return a.name < b.name ? -1 : 1;
}

function statusOf(facts: PodFacts, container: AnyContainer, role: "main" | "init" | "ephemeral"): ContainerStatus {
  const known = factsOf(facts, container.name);
  const { current, previous } = known;
  const state = stateOf(facts, container, known);
  const last = state.waiting === undefined ? previous : current;
  const isRunning = state.running !== undefined;
  const isReady =
    role === "main"
      ? isRunning && known.isStarted && known.isReady
      : role === "init" && state.terminated?.exitCode === 0;
  const before = current === undefined ? knownStatus(facts, container.name) : undefined;
  return {
    name: container.name,
    state,
    lastState: last === undefined ? {} : terminated(last),
    ready: isReady,
    restartCount: current?.attempt ?? before?.restartCount ?? 0,
    image: current?.image ?? container.image ?? "",
    imageID: current?.imageId ?? "",
    ...(current === undefined ? {} : { containerID: containerId(current) }),
    started: role === "main" && isRunning && known.isStarted,
  };
}

/** What the API still says of a container the runtime does not know. */
function knownStatus({ pod }: PodFacts, name: string): ContainerStatus | undefined {
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  return statuses.find((status) => status.name === name);
}

function stateOf(facts: PodFacts, container: AnyContainer, known: ContainerFacts): ContainerState {
  const { current, failure, activity } = known;
  if (current?.state.type === "running") return { running: { startedAt: isoSeconds(current.state.startedAtMs) } };
  const isOver = isEnding(facts) || (current !== undefined && !willRestart(facts, container.name));
  if (current !== undefined && isOver) return terminated(current);
  if (failure !== undefined && activity !== "starting") {
    const isLate = facts.nowMs - failure.failedAtMs >= failureVisibleMs;
    if (isLate && failure.later !== undefined) return { waiting: failure.later };
    if (!isLate || current === undefined) return { waiting: { reason: failure.reason, message: failure.message } };
  }
  if (current === undefined) return { waiting: { reason: defaultReason(facts) } };
  return crashed(facts, container, known, current);
}

function crashed(
  facts: PodFacts,
  container: AnyContainer,
  { backOff }: ContainerFacts,
  run: ContainerRun,
): ContainerState {
  if (run.state.type !== "exited" || backOff === undefined) return terminated(run);
  const { finishedAtMs } = run.state;
  const isWaiting = backOffEndMs(backOff, { eventMs: finishedAtMs, nowMs: facts.nowMs }) > facts.nowMs;
  if (!isWaiting || facts.nowMs - finishedAtMs < failureVisibleMs) return terminated(run);
  const { name, namespace, uid } = facts.pod.metadata ?? {};
  const message = `back-off ${backOffText(backOff)} restarting failed container=${container.name} pod=${name}_${namespace}(${uid})`;
  return { waiting: { reason: "CrashLoopBackOff", message } };
}

function defaultReason({ pod }: PodFacts): string {
  return (pod.spec?.initContainers ?? []).length > 0 ? "PodInitializing" : "ContainerCreating";
}

function terminated(run: ContainerRun): ContainerState {
  const { state } = run;
  if (state.type !== "exited") return {};
  return {
    terminated: {
      exitCode: state.exitCode,
      ...(state.signal === 0 ? {} : { signal: state.signal }),
      reason: state.reason,
      ...(state.message === "" ? {} : { message: state.message }),
      startedAt: isoSeconds(state.startedAtMs),
      finishedAt: isoSeconds(state.finishedAtMs),
      containerID: containerId(run),
    },
  };
}

function containerId(run: ContainerRun): string {
  return `crun://${run.id}`;
}
