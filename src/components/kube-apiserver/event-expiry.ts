/** Forgets what is only news: Events live an hour after they were last written, and the newest few thousand at most. */
import type { CoreV1Event } from "../../api/generated/types.ts";
import type { Clock } from "../../machinery/clock.ts";
import type { ObjectStore, Stored, StoreKey } from "../../storage/index.ts";
import { StorageError } from "../../storage/index.ts";

const place = "events";
const lifeMs = 3_600_000;
/** Upstream bounds them by time alone and holds them in etcd; ours are in memory, and a busy hour writes 200,000. */
export const mostEvents = 5000;

export interface EventExpiry {
  /** Removes what is too old at this moment, and the oldest of what is too many. */
  sweep(): Promise<void>;
}

interface Entry {
  readonly key: StoreKey;
  /** Undefined for what was stored before we started: then its own times tell. */
  readonly writtenAtMs: number | undefined;
}

/** Follows the store for as long as that lives. */
export function createEventExpiry({
  store,
  clock,
}: {
  readonly store: ObjectStore;
  readonly clock: Clock;
}): EventExpiry {
  /** Oldest write first, so that a sweep looks only at what it removes. */
  const entries = new Map<string, Entry>();
  const note = (key: StoreKey, writtenAtMs: number | undefined): void => {
    const path = `${key.namespace}/${key.name}`;
    entries.delete(path);
    entries.set(path, { key, writtenAtMs });
  };
  const { items, revision } = store.list(place);
  for (const { key } of items.toSorted((a, b) => a.revision - b.revision)) note(key, undefined);
  store.watch(place, revision, ({ type, current: { key } }) => {
    if (type === "DELETED") entries.delete(`${key.namespace}/${key.name}`);
    else note(key, clock.now());
  });

  return {
    sweep: async () => {
      const now = clock.now();
      const removals: Promise<void>[] = [];
      let excess = entries.size - mostEvents;
      for (const { key, writtenAtMs } of entries.values()) {
        const stored = store.get(key);
        if (stored === undefined) continue;
        if (excess <= 0 && (writtenAtMs ?? lastSeen(stored)) + lifeMs > now) break;
        excess -= 1;
        removals.push(remove(store, stored));
      }
      await Promise.all(removals);
    },
  };
}

async function remove(store: ObjectStore, { key, revision }: Stored): Promise<void> {
  try {
    await store.delete(key, revision);
  } catch (error) {
    // Seen again, or removed by somebody else in the same moment.
    if (!(error instanceof StorageError && (error.code === "Conflict" || error.code === "NotFound"))) throw error;
  }
}

function lastSeen({ object }: Stored): number {
  const { metadata, lastTimestamp, eventTime, series } = object as unknown as CoreV1Event;
  const times = [metadata.creationTimestamp, lastTimestamp, eventTime, series?.lastObservedTime];
  return Math.max(
    ...times.map((time) => (time === undefined ? 0 : Date.parse(time))).filter((time) => !Number.isNaN(time)),
    0,
  );
}
