/** What the server does now and then so that it stays as it is, however long it runs. */
import type { Clock } from "../../machinery/clock.ts";
import type { Logger } from "../../machinery/log.ts";
import type { ObjectStore } from "../../storage/index.ts";
import { createEventExpiry } from "./event-expiry.ts";
import type { OpenWatches } from "./http/resource-call.ts";

const sweepPeriodMs = 10_000;
/** As upstream: often enough that a watcher of a quiet kind can come back after a break. */
const bookmarkPeriodMs = 60_000;
/** As upstream's `--etcd-compaction-interval`: a watcher may come back after so long. The store's own bounds may be nearer. */
const historyPeriods = 300_000 / bookmarkPeriodMs;

/** Runs until the signal aborts. */
export async function keepHouse(
  {
    store,
    watches,
    clock,
    log,
    syncDefaultServiceCidr,
    keepFlowControl,
  }: {
    readonly store: ObjectStore;
    readonly watches: OpenWatches;
    readonly clock: Clock;
    readonly log: Logger;
    readonly syncDefaultServiceCidr?: () => Promise<void>;
    /** As often as upstream looks after it: once a minute. */
    readonly keepFlowControl?: () => Promise<void>;
  },
  signal: AbortSignal,
): Promise<void> {
  const events = createEventExpiry({ store, clock });
  /** The revision of each period; counted, not timed: somebody may set the clock. */
  const past: number[] = [];
  for (let rounds = 1; !signal.aborted; rounds += 1) {
    await syncDefaultServiceCidr?.().catch((error: unknown) => {
      log.warn("The default ServiceCIDR stays as it is for now", { error });
    });
    try {
      await clock.sleep(sweepPeriodMs, signal);
    } catch {
      return;
    }
    await events.sweep().catch((error: unknown) => {
      log.warn("Old events stay for now", { error });
    });
    if ((rounds * sweepPeriodMs) % bookmarkPeriodMs !== 0) continue;
    for (const watch of watches) watch.bookmark();
    await keepFlowControl?.().catch((error: unknown) => {
      log.warn("FlowSchemas and priority levels stay as they are for now", { error });
    });
    past.push(store.revision);
    const oldest = past.length > historyPeriods ? past.shift() : undefined;
    if (oldest !== undefined) store.compact(oldest);
    store.letGoOfUnread();
  }
}
