/** Keeps the pods in the API that show parts of the node which are not containers. */
import { ApiError } from "../../../api/status.ts";
import type { Pod, PodStatus } from "../../../api/generated/types.ts";
import { keyOf, keyText } from "../../../api/object.ts";
import { resources } from "../../../api/resources.ts";
import type { ApiClient } from "../../../client/api-client.ts";
import type { Clock } from "../../../machinery/clock.ts";
import type { Informer } from "../../../machinery/informer/index.ts";
import type { Logger } from "../../../machinery/log.ts";
import type { NodeConfig } from "../../../model/cluster-config.ts";
import { isoSeconds } from "../../../model/pod-lifecycle/index.ts";
import type { MirrorPod } from "../options.ts";
import { mirrorAnnotation } from "../pods/pod-workers.ts";

const retryMs = 1000;

export interface MirrorOptions {
  readonly client: ApiClient;
  readonly node: NodeConfig;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Makes them, says that they run, makes them anew where somebody deletes them; ends with the signal. */
export async function keepMirrorPods(
  mirrorPods: readonly MirrorPod[],
  pods: Informer<Pod>,
  options: MirrorOptions,
): Promise<void> {
  const { signal } = options;
  await pods.ready;
  await Promise.all(
    mirrorPods.map(async (mirror) => {
      const key = keyText(keyOf(mirror.pod));
      let wake = Promise.withResolvers<void>();
      const unsubscribe = pods.onChange((change) => {
        if (change.key === key) wake.resolve();
      });
      const end = (): void => wake.resolve();
      signal.addEventListener("abort", end, { once: true });
      while (!signal.aborted) {
        wake = Promise.withResolvers<void>();
        await keepOne(options, mirror, pods.store.get(key));
        if (!signal.aborted) await wake.promise;
      }
      unsubscribe();
    }),
  );
}

async function keepOne(options: MirrorOptions, mirror: MirrorPod, known: Pod | undefined): Promise<void> {
  const { client, node, clock, log, signal } = options;
  try {
    if (known?.metadata?.deletionTimestamp !== undefined) {
      await client.delete(resources.pods, keyOf(known), { gracePeriodSeconds: 0 });
      return;
    }
    const pod = known ?? (await client.create(resources.pods, withAnnotations(mirror.pod)));
    if (pod.status?.phase === "Running") return;
    const body = { metadata: { uid: pod.metadata?.uid }, status: runningStatus(mirror, node) };
    await client.patch(resources.pods, keyOf(pod), { type: "strategic", body }, { subresource: "status" });
  } catch (error) {
    if (signal.aborted) return;
    // Made or removed by somebody else meanwhile: the watch tells.
    if (error instanceof ApiError && (error.code === 404 || error.code === 409)) return;
    log.warn("cannot keep a mirror pod, trying again", { pod: mirror.pod.metadata?.name, error });
    await clock.sleep(retryMs, signal).catch(() => undefined);
    if (!signal.aborted) await keepOne(options, mirror, known);
  }
}

function withAnnotations(pod: Pod): Pod {
  const source = { "kubernetes.io/config.source": "file", [mirrorAnnotation]: pod.metadata?.name ?? "" };
  return { ...pod, metadata: { ...pod.metadata, annotations: { ...pod.metadata?.annotations, ...source } } };
}

function runningStatus({ pod, startedAtMs }: MirrorPod, { addresses }: NodeConfig): PodStatus {
  const time = isoSeconds(startedAtMs);
  const types = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];
  return {
    phase: "Running",
    conditions: types.map((type) => ({ type, status: "True", lastTransitionTime: time })),
    hostIP: addresses[0],
    hostIPs: addresses.map((ip) => ({ ip })),
    podIP: addresses[0],
    podIPs: addresses.map((ip) => ({ ip })),
    startTime: time,
    containerStatuses: (pod.spec?.containers ?? []).map(({ name, image = "" }) => ({
      name,
      image,
      imageID: "",
      ready: true,
      restartCount: 0,
      started: true,
      state: { running: { startedAt: time } },
      lastState: {},
    })),
  };
}
