/** Forgets what is only news: events live an hour after they were last seen. */
import type { CoreV1Event } from "../../api/generated/types.ts";
import type { ObjectStore } from "../../storage/index.ts";
import { StorageError } from "../../storage/index.ts";

const eventsPlace = "events";
const lifeMs = 3_600_000;

/** Removes the events whose time is over at `now` (milliseconds). */
export async function removeExpiredEvents(store: ObjectStore, now: number): Promise<void> {
  const old = store
    .list(eventsPlace)
    .items.filter(({ object }) => lastSeen(object as unknown as CoreV1Event) + lifeMs <= now);
  await Promise.all(
    old.map(async ({ key, revision }) => {
      try {
        await store.delete(key, revision);
      } catch (error) {
        // Seen again, or removed by somebody else in the same moment.
        if (!(error instanceof StorageError && (error.code === "Conflict" || error.code === "NotFound"))) throw error;
      }
    }),
  );
}

function lastSeen({ metadata, lastTimestamp, eventTime, series }: CoreV1Event): number {
  const times = [metadata.creationTimestamp, lastTimestamp, eventTime, series?.lastObservedTime];
  return Math.max(
    ...times.map((time) => (time === undefined ? 0 : Date.parse(time))).filter((time) => !Number.isNaN(time)),
    0,
  );
}
