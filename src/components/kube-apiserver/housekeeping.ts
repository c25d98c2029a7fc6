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
const historyMs = 300_000;

/** Runs until the signal aborts. */
export async function keepHouse(
  {
    store,
    watches,
    clock,
    log,
  }: {
    readonly store: ObjectStore;
    readonly watches: OpenWatches;
    readonly clock: Clock;
    readonly log: Logger;
  },
  signal: AbortSignal,
): Promise<void> {
  const events = createEventExpiry({ store, clock });
  const past: { readonly atMs: number; readonly revision: number }[] = [];
  for (let rounds = 1; !signal.aborted; rounds += 1) {
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
    past.push({ atMs: clock.now(), revision: store.revision });
    for (let [oldest] = past; oldest !== undefined && oldest.atMs + historyMs <= clock.now(); [oldest] = past) {
      store.compact(oldest.revision);
      past.shift();
    }
    store.letGoOfUnread();
  }
}
