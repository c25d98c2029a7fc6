/** Versioned objects: one store interface, in memory or in a SQLite file. */
import type { ObjectStore } from "./object-store.ts";
import { startSqliteWriter } from "./sqlite-log.ts";
import { readDatabase } from "./sqlite-schema.ts";
import { createStore, type StoreOptions } from "./store.ts";
import { volatileLog } from "./write-log.ts";

export { StorageError } from "./object-store.ts";
export type { ObjectStore, Stored, StoreEvent, StoreKey, StoreList, StoreListOptions } from "./object-store.ts";

/** Keeps everything in memory only. */
export function createMemoryStore(options: Pick<StoreOptions, "history"> = {}): ObjectStore {
  return createStore({ ...options, log: volatileLog });
}

/**
 * Opens the file, or makes it where there is none (its folder must exist). Throws `StorageError`: "Corrupt" when the file
 * is damaged or not ours (it is left as it is), "Unavailable" when it cannot be opened.
 */
export function openSqliteStore(path: string, options: Pick<StoreOptions, "history"> = {}): ObjectStore {
  const writer = startSqliteWriter(path);
  try {
    const content = readDatabase(path);
    return createStore({ ...options, content, log: writer.open() });
  } catch (error) {
    writer.abandon();
    throw error;
  }
}
