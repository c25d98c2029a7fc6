/** Objects as they are and as they change, for a command that a person leaves running. */
import type { KubernetesObject, Resource } from "../api/object.ts";
import { findSupervisor } from "../components/lab-host/index.ts";
import { systemClock as clock } from "../machinery/clock.ts";
import { createInformer } from "../machinery/informer/index.ts";
import { type Logger, silentLogger } from "../machinery/log.ts";
import { asAdministrator } from "./admin-client.ts";
import type { RunningCluster } from "./clusters.ts";

interface FollowOptions<T extends KubernetesObject> {
  readonly resource: Resource<T>;
  /** Undefined: of all namespaces. */
  readonly namespace: string | undefined;
  /**
   * Called first with all there are, possibly none, then with what is new or changed, in order and one call after the
   * other. What was deleted is not told.
   */
  readonly onObjects: (objects: readonly T[]) => Promise<void>;
  /** An outage of the server, and the end of the cluster, in words. */
  readonly say: (message: string) => void;
  readonly signal: AbortSignal;
}

const lookMs = 1000;

/**
 * Goes on over restarts of the server, without gap and without telling anything twice. Resolves when `signal` aborts or
 * the cluster stops; rejects with what `onObjects` rejects with.
 */
export async function followObjects<T extends KubernetesObject>(
  cluster: RunningCluster,
  { resource, namespace, onObjects, say, signal }: FollowOptions<T>,
): Promise<void> {
  const end = new AbortController();
  const stop = AbortSignal.any([signal, end.signal]);
  const found: T[] = [];
  let isFirst = true;
  let told = Promise.resolve();
  const tellAfter = async (former: Promise<void>): Promise<void> => {
    await former;
    const objects = found.splice(0);
    if (objects.length > 0 || isFirst) await onObjects(objects);
    isFirst = false;
  };
  const tell = (): void => {
    told = tellAfter(told);
    told.catch(() => end.abort());
  };
  await asAdministrator(cluster.config, async (client) => {
    // Whatever is under way is cut, so that nothing keeps the process.
    stop.addEventListener("abort", () => client.close(), { once: true });
    const scope = namespace === undefined ? {} : { namespace };
    const informer = createInformer({ source: client, resource, ...scope, clock, log: outageLog(say) });
    informer.onChange(({ current }) => {
      if (current !== undefined) found.push(current);
      if (informer.hasSynced) tell();
    });
    informer.ready.then(tell, () => undefined);
    await Promise.all([informer.run(stop), endWithCluster(cluster, { say, end, stop })]);
  });
  await told;
}

async function endWithCluster(
  { config, supervisor }: RunningCluster,
  {
    say,
    end,
    stop,
  }: { readonly say: (message: string) => void; readonly end: AbortController; readonly stop: AbortSignal },
): Promise<void> {
  while (!stop.aborted) {
    await clock.sleep(lookMs, stop).catch(() => undefined);
    if (stop.aborted || findSupervisor(config.runDir)?.pid === supervisor.pid) continue;
    say(`The cluster "${config.name}" does not run any more`);
    end.abort();
  }
}

/** What an informer logs, for people: it writes one line per outage. */
function outageLog(say: (message: string) => void): Logger {
  return {
    ...silentLogger,
    warn: (_message, { error } = {}) =>
      say(`The API does not answer${error instanceof Error ? ` (${error.message})` : ""}: going on when it does`),
    info: () => say("The API answers again"),
  };
}
