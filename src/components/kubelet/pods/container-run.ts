/** The runtime's account of a container in the words of the planners. */
import type { Pod } from "../../../api/generated/types.ts";
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

function endReason(end: {
  readonly exitCode: number;
  readonly isOutOfMemory: boolean;
  readonly hasStarted: boolean;
}): string {
  if (!end.hasStarted) return "StartError";
  if (end.isOutOfMemory) return "OOMKilled";
  return end.exitCode === 0 ? "Completed" : "Error";
}
