/** The runtime's account of a container in the words of the planners. */
import type { ContainerStatus as ApiContainerStatus, Pod } from "../../../api/generated/types.ts";
import type { ContainerStatus } from "../../../container/runtime.ts";
import type { ContainerRun } from "../../../model/pod-lifecycle/index.ts";
import type { AnyContainer } from "./find-container.ts";
import { terminationLogPath } from "./pod-files.ts";
import { terminationMessage } from "./termination-message.ts";

export function containerRun(
  status: ContainerStatus,
  from: { readonly pod: Pod; readonly container: AnyContainer | undefined; readonly nodeRoot: string },
): ContainerRun {
  const { id, attempt, image, state } = status;
  const base = { id, attempt, image: image.name, imageId: image.repoDigest === "" ? image.id : image.repoDigest };
  if (state.type !== "exited") {
    return { ...base, state: { type: "running", startedAtMs: state.type === "running" ? state.startedAtMs : 0 } };
  }
  const { startedAtMs, finishedAtMs, exitCode, signal } = state;
  const terminationLog = terminationLogPath(from.nodeRoot, from.pod, { name: status.name, attempt });
  const message =
    state.message !== "" || from.container === undefined
      ? state.message
      : terminationMessage(from.container, { terminationLog, log: status.logPath, exitCode });
  const reason = endReason({ exitCode, isOutOfMemory: state.isOutOfMemory, hasStarted: startedAtMs !== 0 });
  return { ...base, state: { type: "exited", startedAtMs, finishedAtMs, exitCode, signal, reason, message } };
}

/** As containerd says it of a container that it finds dead after its machine was off. */
const unknownEnd = { exitCode: 255, signal: 0, reason: "Unknown", message: "" } as const;

/** The run that a status in the API tells of; undefined where there was none. */
export function lostRun(status: ApiContainerStatus, nowMs: number): ContainerRun | undefined {
  const { containerID = "", restartCount, image, imageID, state } = status;
  const ended = state?.terminated;
  if (containerID === "" || (state?.running === undefined && ended === undefined)) return undefined;
  const base = {
    id: containerID.replace(/^crun:\/\//, ""),
    attempt: restartCount,
    isLost: true,
    image,
    imageId: imageID,
  };
  const atMs = (time: string | undefined): number => Date.parse(time ?? "") || 0;
  if (ended === undefined) {
    const startedAtMs = atMs(state?.running?.startedAt);
    return { ...base, state: { type: "exited", startedAtMs, finishedAtMs: nowMs, ...unknownEnd } };
  }
  const { startedAt, finishedAt, exitCode, signal = 0, reason = "", message = "" } = ended;
  const times = { startedAtMs: atMs(startedAt), finishedAtMs: atMs(finishedAt) };
  return { ...base, state: { type: "exited", ...times, exitCode, signal, reason, message } };
}

function endReason(end: {
  readonly exitCode: number;
  readonly isOutOfMemory: boolean;
  readonly hasStarted: boolean;
}): string {
  if (!end.hasStarted) return "StartError";
  if (end.isOutOfMemory) return "OOMKilled";
  return end.exitCode === 0 ? "Completed" : "Error";
}
