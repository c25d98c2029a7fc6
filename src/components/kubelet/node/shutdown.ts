/** A node that is switched off in order says so: upstream's graceful node shutdown, in its words. */
import { ApiError } from "../../../api/status.ts";
import type { ContainerStatus as ApiContainerStatus, Node, Pod } from "../../../api/generated/types.ts";
import { keyOf } from "../../../api/object.ts";
import { resources } from "../../../api/resources.ts";
import type { ApiClient } from "../../../client/api-client.ts";
import type { ContainerStatus } from "../../../container/runtime.ts";
import type { Clock } from "../../../machinery/clock.ts";
import type { Logger } from "../../../machinery/log.ts";
import { isoSeconds } from "../../../model/pod-lifecycle/index.ts";
import { mirrorAnnotation } from "../pods/pod-workers.ts";

/** The node takes no more pods, and those it has leave their Services. Where the API is away, a warning is all. */
export async function announceShutdown(options: {
  readonly client: ApiClient;
  readonly node: string;
  readonly clock: Clock;
  readonly log: Logger;
}): Promise<void> {
  const { client, clock, log, node: name } = options;
  const now = isoSeconds(clock.now());
  const condition = {
    type: "Ready",
    status: "False",
    reason: "KubeletNotReady",
    message: "node is shutting down",
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  };
  const body: Pick<Node, "status"> = { status: { conditions: [condition] } };
  try {
    await client.patch(resources.nodes, { name }, { type: "strategic", body }, { subresource: "status" });
  } catch (error) {
    log.warn("cannot tell the API that the node shuts down: it will notice by itself", { error });
  }
}

/** After this the pods count as failed, and whoever made them makes others elsewhere. Never rejects. */
export async function failPods(options: {
  readonly client: ApiClient;
  readonly pods: readonly Pod[];
  /** How the node's containers have ended. */
  readonly ended: readonly ContainerStatus[];
  readonly clock: Clock;
  readonly log: Logger;
}): Promise<void> {
  await Promise.all(
    options.pods.map(async (pod) => {
      try {
        await failPod(pod, options);
      } catch (error) {
        if (error instanceof ApiError && error.code === 404) return;
        options.log.warn("cannot tell the API that a pod ended with its node", { pod: pod.metadata?.name, error });
      }
    }),
  );
}

async function failPod(
  pod: Pod,
  {
    client,
    clock,
    ended,
  }: { readonly client: ApiClient; readonly clock: Clock; readonly ended: readonly ContainerStatus[] },
): Promise<void> {
  if (pod.metadata?.annotations?.[mirrorAnnotation] !== undefined) return;
  if (pod.metadata?.deletionTimestamp !== undefined) {
    const uid = pod.metadata.uid ?? "";
    await client.delete(resources.pods, keyOf(pod), { gracePeriodSeconds: 0, preconditions: { uid } });
    return;
  }
  if (["Succeeded", "Failed"].includes(pod.status?.phase ?? "")) return;
  const lastTransitionTime = isoSeconds(clock.now());
  const message = "Pod was terminated in response to imminent node shutdown.";
  const no = { status: "False", reason: "PodFailed", lastTransitionTime };
  const conditions = [
    { type: "Ready", ...no },
    { type: "ContainersReady", ...no },
    { type: "DisruptionTarget", status: "True", reason: "TerminationByKubelet", message, lastTransitionTime },
  ];
  const body = {
    metadata: { uid: pod.metadata?.uid },
    status: {
      phase: "Failed",
      reason: "Terminated",
      message,
      conditions,
      containerStatuses: (pod.status?.containerStatuses ?? []).map((status) => endedStatus(status, ended)),
    },
  };
  await client.patch(resources.pods, keyOf(pod), { type: "strategic", body }, { subresource: "status" });
}

/** What had ended before keeps its state. */
function endedStatus(status: ApiContainerStatus, ended: readonly ContainerStatus[]): object {
  const run = ended.find(({ id }) => status.containerID === `crun://${id}`);
  if (status.state?.running === undefined || run?.state.type !== "exited") return status;
  const { exitCode, startedAtMs, finishedAtMs } = run.state;
  const terminated = {
    exitCode,
    reason: exitCode === 0 ? "Completed" : "Error",
    startedAt: isoSeconds(startedAtMs),
    finishedAt: isoSeconds(finishedAtMs),
    containerID: status.containerID,
  };
  return { ...status, ready: false, started: false, state: { running: null, terminated } };
}
