/** The one loop of all controllers: informers put keys into a queue, `reconcile` brings each key's objects into order. */
import type { KubernetesObject } from "../../api/object.ts";
import type { Backoff } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import type { Component } from "../component.ts";
import type { Change, Informer } from "../informer/index.ts";
import type { Logger } from "../log.ts";
import type { MetricsRegistry } from "../metrics/index.ts";
import { createWorkQueue, queueMetrics } from "../workqueue/index.ts";

/** When to look at the key again though nothing changes; undefined: not. */
type ReconcileResult = { readonly requeueAfterMs: number } | undefined | void;

export interface ReconcilerOptions {
  /** Kubernetes' name of the controller: "replicaset". */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Must have synced before the first key is worked on. Whoever made them runs them. */
  readonly waitFor: readonly Pick<Component, "ready">[];
  /**
   * Makes the key's objects what they should be, from what is now, whatever happened. Rejects to be tried again after a
   * back-off. The signal aborts at shutdown.
   */
  reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult>;
  /** Keys worked on at the same time; 1 by default. */
  readonly concurrency?: number;
  readonly backoff?: Backoff;
  readonly metrics?: MetricsRegistry;
}

export interface Reconciler extends Component {
  /** Queues a key by hand. */
  enqueue(key: string): void;
  enqueueAfter(key: string, ms: number): void;
  /** Queues the keys that `keysOf` names for each change of the informer's objects. */
  on<T extends KubernetesObject>(
    informer: Pick<Informer<T>, "onChange">,
    keysOf: (change: Change<T>) => Iterable<string>,
  ): void;
}

/** How often one key fails before its line in the log becomes an error; conflicts with other writers pass unseen. */
const quietFailures = 3;

export function createReconciler(options: ReconcilerOptions): Reconciler {
  const { name, clock, log, waitFor, concurrency = 1, metrics } = options;
  const queue = createWorkQueue({
    clock,
    ...(options.backoff === undefined ? {} : { backoff: options.backoff }),
    ...(metrics === undefined ? {} : { metrics: queueMetrics(metrics, name) }),
  });
  const started = Promise.withResolvers<void>();
  started.promise.catch(() => undefined);
  const unsubscribe: (() => void)[] = [];

  const work = async (key: string, signal: AbortSignal): Promise<void> => {
    try {
      const result = await options.reconcile(key, signal);
      queue.forget(key);
      if (result !== undefined) queue.addAfter(key, result.requeueAfterMs);
    } catch (error) {
      if (signal.aborted) return;
      const failures = queue.retriesOf(key) + 1;
      // Once as an error, not with each try: the same cause fills a log fast.
      const fields = { controller: name, key, failures, error };
      if (failures === quietFailures) log.error("cannot reconcile, trying on with growing delays", fields);
      else log.debug("cannot reconcile, trying again", fields);
      queue.retry(key);
    }
  };

  return {
    name,
    ready: started.promise,
    enqueue: (key) => queue.add(key),
    enqueueAfter: (key, ms) => queue.addAfter(key, ms),
    on: (informer, keysOf) => {
      unsubscribe.push(
        informer.onChange((change) => {
          for (const key of keysOf(change)) queue.add(key);
        }),
      );
    },
    run: async (signal) => {
      const stopped = new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener("abort", () => resolve(), { once: true });
      });
      try {
        await Promise.race([Promise.all(waitFor.map((informer) => informer.ready)), stopped]);
        if (signal.aborted) return;
        started.resolve();
        await queue.run(signal, { concurrency, work: (key) => work(key, signal) });
      } finally {
        for (const end of unsubscribe) end();
        started.reject(new Error(`Cannot wait for controller ${name}: it was stopped before it began`));
      }
    },
  };
}
