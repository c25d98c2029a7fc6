/** What `kubectl get pods` shows: the STATUS word is drawn from the states of all containers. */
import { own } from "../../lib/own/index.ts";
import type { ContainerStatus, Pod, PodStatus } from "../generated/types.ts";
import { ageColumn, ageOf, column, nameColumn, nameOf, timeSince, wideColumn } from "../registry/columns.ts";
import type { Cell, Column, RowCondition } from "../registry/definition.ts";

export const podColumns: readonly Column[] = [
  nameColumn,
  column("Ready", "Containers that are ready, of all containers."),
  column("Status", "What the pod's containers are doing, in one word."),
  column("Restarts", "How often containers were restarted, and when last."),
  ageColumn,
  wideColumn("IP", "The pod's first address."),
  wideColumn("Node", "The node that runs the pod."),
  wideColumn("Nominated Node", "The node on which room is being made for the pod."),
  wideColumn("Readiness Gates", "Readiness gates that have passed, of all gates."),
];

interface Summary {
  reason: string;
  ready: number;
  total: number;
  restarts: number;
  lastRestart: string | undefined;
}

function later(left: string | undefined, right: string | undefined): string | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return Date.parse(right) > Date.parse(left) ? right : left;
}

function isConditionTrue(status: PodStatus | undefined, type: string): boolean {
  return (status?.conditions ?? []).some((condition) => condition.type === type && condition.status === "True");
}

/** The end of a container that has no reason of its own. */
function endText(terminated: { readonly signal?: number; readonly exitCode: number }): string {
  return terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`;
}

interface InitSummary {
  readonly isInitializing: boolean;
  /** Restarts of sidecars alone, which count on after initialization. */
  readonly sidecarRestarts: number;
  readonly sidecarLastRestart: string | undefined;
}

function summarizeInitContainers(pod: Pod, summary: Summary): InitSummary {
  const containers = pod.spec?.initContainers ?? [];
  const sidecars = new Set(containers.filter((each) => each.restartPolicy === "Always").map(({ name }) => name));
  summary.total += sidecars.size;
  let sidecarRestarts = 0;
  let sidecarLastRestart: string | undefined;
  for (const [index, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const lastEnd = status.lastState?.terminated?.finishedAt;
    summary.restarts += status.restartCount;
    summary.lastRestart = later(summary.lastRestart, lastEnd);
    const isSidecar = sidecars.has(status.name);
    if (isSidecar) {
      sidecarRestarts += status.restartCount;
      sidecarLastRestart = later(sidecarLastRestart, lastEnd);
    }
    const { terminated, waiting } = status.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (isSidecar && status.started === true) {
      if (status.ready) summary.ready += 1;
      continue;
    }
    if (terminated) summary.reason = `Init:${terminated.reason || endText(terminated)}`;
    else if (waiting?.reason && waiting.reason !== "PodInitializing") summary.reason = `Init:${waiting.reason}`;
    else summary.reason = `Init:${index}/${containers.length}`;
    return { isInitializing: true, sidecarRestarts, sidecarLastRestart };
  }
  return { isInitializing: false, sidecarRestarts, sidecarLastRestart };
}

function summarizeContainers(statuses: readonly ContainerStatus[], summary: Summary): boolean {
  let hasRunning = false;
  for (const status of statuses.toReversed()) {
    summary.restarts += status.restartCount;
    summary.lastRestart = later(summary.lastRestart, status.lastState?.terminated?.finishedAt);
    const { waiting, terminated, running } = status.state ?? {};
    if (waiting?.reason) summary.reason = waiting.reason;
    else if (terminated) summary.reason = terminated.reason || endText(terminated);
    else if (status.ready && running) {
      hasRunning = true;
      summary.ready += 1;
    }
  }
  return hasRunning;
}

function summarize(pod: Pod): Summary {
  const { status } = pod;
  const summary: Summary = {
    reason: status?.reason || (status?.phase ?? ""),
    ready: 0,
    total: pod.spec?.containers?.length ?? 0,
    restarts: 0,
    lastRestart: undefined,
  };
  const scheduled = status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (scheduled?.reason === "SchedulingGated") summary.reason = "SchedulingGated";
  const init = summarizeInitContainers(pod, summary);
  if (!init.isInitializing || isConditionTrue(status, "Initialized")) {
    summary.restarts = init.sidecarRestarts;
    summary.lastRestart = init.sidecarLastRestart;
    const hasRunning = summarizeContainers(status?.containerStatuses ?? [], summary);
    if (summary.reason === "Completed" && hasRunning) {
      summary.reason = isConditionTrue(status, "Ready") ? "Running" : "NotReady";
    }
  }
  if (pod.metadata?.deletionTimestamp !== undefined) {
    if (status?.reason === "NodeLost") summary.reason = "Unknown";
    else if (status?.phase !== "Succeeded" && status?.phase !== "Failed") summary.reason = "Terminating";
  }
  return summary;
}

const endings: Readonly<Record<string, string>> = {
  Succeeded: "The pod has completed successfully.",
  Failed: "The pod failed.",
};

/** A pod that has ended says so beside its cells. */
export function podRowConditions({ status }: Pod): readonly RowCondition[] {
  const reason = status?.phase ?? "";
  const message = own(endings, reason);
  return message === undefined ? [] : [{ type: "Completed", status: "True", reason, message }];
}

function gatesText(pod: Pod): string {
  const gates = pod.spec?.readinessGates ?? [];
  const passed = gates.filter(({ conditionType }) => isConditionTrue(pod.status, conditionType));
  return gates.length === 0 ? "<none>" : `${passed.length}/${gates.length}`;
}

export function podCells(pod: Pod, now: Date): readonly Cell[] {
  const { ready, total, reason, restarts, lastRestart } = summarize(pod);
  const when = restarts === 0 || lastRestart === undefined ? "" : ` (${timeSince(lastRestart, now)} ago)`;
  return [
    nameOf(pod),
    `${ready}/${total}`,
    reason,
    `${restarts}${when}`,
    ageOf(pod, now),
    pod.status?.podIPs?.[0]?.ip || pod.status?.podIP || "<none>",
    pod.spec?.nodeName || "<none>",
    pod.status?.nominatedNodeName || "<none>",
    gatesText(pod),
  ];
}
