/** One worker per pod of this node; what the runtime still holds of pods that are gone is removed. */
import { rm } from "node:fs/promises";
import type { Pod } from "../../../api/generated/types.ts";
import type { ContainerStatus } from "../../../container/runtime.ts";
import type { Informer } from "../../../machinery/informer/index.ts";
import { backoffDelayMs } from "../../../machinery/backoff.ts";
import { removeDeadLogLinks } from "./log-links.ts";
import { podFoldersOnDisk } from "./paths.ts";
import { PodWorker } from "./pod-worker.ts";
import type { PodWorkerContext } from "./pod-context.ts";

/** Pods that only show a part of the node carry it; they are no work. */
export const mirrorAnnotation = "kubernetes.io/config.mirror";

const orphanBackoff = { firstMs: 500, maxMs: 60_000, factor: 2, jitter: 0 };

export interface PodWorkers {
  /** Begins with what informer and runtime know; both must be ready. */
  start(runs: readonly ContainerStatus[]): void;
  find(namespace: string, name: string): PodWorker | undefined;
  list(): readonly PodWorker[];
  onExit(status: ContainerStatus): void;
  /** Ends the workers; the pods live on. */
  close(): void;
}

export function createPodWorkers(
  pods: Informer<Pod>,
  contextOf: (self: Pick<PodWorkers, "list">) => PodWorkerContext,
): PodWorkers {
  const workers = new Map<string, PodWorker>();
  /** Pods that were led to their end while the API still shows them. */
  const finished = new Set<string>();
  const list = (): readonly PodWorker[] => [...workers.values()];
  const context = contextOf({ list });
  const closing = new AbortController();
  let unsubscribe: (() => void) | undefined;

  function begin(pod: Pod, runs: readonly ContainerStatus[]): void {
    const uid = pod.metadata?.uid ?? "";
    const worker = new PodWorker(context, pod, runs);
    workers.set(uid, worker);
    count();
    void forget(uid, worker);
    worker.kick();
  }

  async function forget(uid: string, worker: PodWorker): Promise<void> {
    await worker.done;
    if (workers.get(uid) === worker) workers.delete(uid);
    if (pods.store.list().some(({ metadata }) => metadata?.uid === uid)) finished.add(uid);
    count();
  }

  function count(): void {
    const node = context.options.node.name;
    context.metrics.runningPods.set({ node }, workers.size);
  }

  function removeOrphans(runs: readonly ContainerStatus[]): void {
    const { network } = context.options;
    const runsOf = Map.groupBy(runs, ({ pod }) => pod.uid);
    const foldersOf = podFoldersOnDisk(context.nodeRoot);
    const known = new Set(pods.store.list().map(({ metadata }) => metadata?.uid));
    const uids = new Set([...runsOf.keys(), ...network.list().map(({ uid }) => uid), ...foldersOf.keys()]);
    void removeDeadLogLinks(context.nodeRoot).catch((error: unknown) => {
      context.log.warn("cannot remove links to logs that are gone", { error });
    });
    for (const uid of uids) {
      if (known.has(uid)) continue;
      void untilRemoved({ uid, runs: runsOf.get(uid) ?? [], folders: foldersOf.get(uid) ?? [] });
    }
  }

  /** Nobody else will come back to them. */
  async function untilRemoved(orphan: Orphan): Promise<void> {
    const { uid } = orphan;
    for (let failures = 0; !closing.signal.aborted; failures += 1) {
      try {
        return await removeOrphan(context, orphan);
      } catch (error) {
        context.log.error("cannot remove what is left of a pod, trying again", { uid, error });
        await context.clock.sleep(backoffDelayMs(orphanBackoff, failures), closing.signal).catch(() => undefined);
      }
    }
  }

  return {
    start: (runs) => {
      const ofPods = Map.groupBy(runs, ({ pod }) => pod.uid);
      const known = pods.store.list();
      for (const pod of known) {
        if (isLed(pod)) begin(pod, ofPods.get(pod.metadata?.uid ?? "") ?? []);
      }
      removeOrphans(runs);
      unsubscribe = pods.onChange(({ current, previous }) => {
        const previousUid = previous?.metadata?.uid ?? "";
        // A pod may be replaced by another of its name between two looks.
        if (previous !== undefined && current?.metadata?.uid !== previousUid) {
          finished.delete(previousUid);
          workers.get(previousUid)?.remove(previous);
        }
        if (current === undefined || !isLed(current)) return;
        const uid = current.metadata?.uid ?? "";
        const worker = workers.get(uid);
        if (worker !== undefined) worker.update(current);
        else if (!finished.has(uid)) {
          context.metrics.startedPods.inc();
          begin(current, []);
        }
      });
    },
    find: (namespace, name) =>
      // The last one: a pod of the same name may still be ending.
      list().findLast(({ pod }) => pod.metadata?.namespace === namespace && pod.metadata.name === name),
    list,
    onExit: (status) => workers.get(status.pod.uid)?.onExit(status),
    close: () => {
      unsubscribe?.();
      closing.abort();
      for (const worker of workers.values()) worker.close();
    },
  };
}

function isLed(pod: Pod): boolean {
  return pod.metadata?.annotations?.[mirrorAnnotation] === undefined;
}

/** What is on the node of a pod that the API does not know. */
interface Orphan {
  readonly uid: string;
  readonly runs: readonly ContainerStatus[];
  readonly folders: readonly string[];
}

async function removeOrphan(
  { runtime, options, volumes }: PodWorkerContext,
  { uid, runs, folders }: Orphan,
): Promise<void> {
  await Promise.all(runs.map(({ id }) => runtime.stop(id, { graceMs: 1000 })));
  for (const { id } of runs) await runtime.remove(id);
  await options.network.detach({ uid });
  volumes.release(uid);
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
}
