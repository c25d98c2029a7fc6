/** The database file: how it is told from other files, made, and read. */
import { closeSync, copyFileSync, existsSync, openSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { LogContent, LogRow } from "./write-log.ts";
import { StorageError } from "./object-store.ts";
import { newestRevisionFile, readNewestRevision } from "./newest-revision.ts";
import { beginWithSpace, pragma, prepareSpace } from "./sqlite-space.ts";

/** "netl": marks the file as ours (SQLite's application_id). */
const applicationId = 0x6e65746c;
const schemaVersion = 1;

const schema = `
  CREATE TABLE versions (
    revision INTEGER PRIMARY KEY,
    resource TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    is_deleted INTEGER NOT NULL,
    text TEXT NOT NULL
  ) STRICT;
  CREATE TABLE compactions (resource TEXT PRIMARY KEY, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${schemaVersion};
`;

/**
 * Opens the file for writing with the durability we promise: a commit has reached the disk when it returns. One process
 * at a time holds it.
 */
export function openDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    // The Secrets of the cluster are in it. SQLite gives its other files the mode of this one.
    closeSync(openSync(path, "a", 0o600));
    database = new DatabaseSync(path);
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    beginWithSpace(database);
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    prepareSchema(database, path);
    prepareSpace(database);
    return database;
  } catch (error) {
    database?.close();
    throw storageErrorOf(path, error);
  }
}

/** Everything in the file; checks it on the way, and that nothing is missing that was acknowledged. */
export function readDatabase(path: string): LogContent {
  checkPresence(path);
  const database = openDatabase(path);
  try {
    const rows: LogRow[] = [];
    const statement = "SELECT revision, resource, namespace, name, is_deleted, text FROM versions ORDER BY revision";
    // One by one: SQLite's own form of all rows would double what a start takes.
    for (const row of database.prepare(statement).iterate()) {
      rows.push({
        revision: Number(row["revision"]),
        resource: String(row["resource"]),
        namespace: String(row["namespace"]),
        name: String(row["name"]),
        isDeleted: row["is_deleted"] === 1,
        text: String(row["text"]),
      });
    }
    const compacted = new Map(
      database
        .prepare("SELECT resource, revision FROM compactions")
        .all()
        .map((row) => [String(row["resource"]), Number(row["revision"])]),
    );
    checkNewest(path, Math.max(rows.at(-1)?.revision ?? 0, ...compacted.values()));
    return { rows, compacted };
  } catch (error) {
    throw storageErrorOf(path, error);
  } finally {
    database.close();
  }
}

/** SQLite makes a new database where there is none, and throws away the log of an empty one. */
function checkPresence(path: string): void {
  if (sizeOf(path) > 0) return;
  const newest = readNewestRevision(path) ?? 0;
  const hasLog = sizeOf(logOf(path)) > 0;
  if (newest === 0 && !hasLog) return;
  const what = existsSync(path) ? "it is empty" : "it is gone";
  const proof = newest > 0 ? `revision ${newest} was acknowledged` : `there is its log "${logOf(path)}"`;
  throw new StorageError(
    "Corrupt",
    `Cannot open the store "${path}": ${what}, and ${proof}; nothing was changed: restore the file from a copy, or ${startEmpty(path)}`,
  );
}

/** A log with a broken frame ends before it, for SQLite, and is cut there when the file is closed: hence the copy. */
function checkNewest(path: string, found: number): void {
  const newest = readNewestRevision(path) ?? 0;
  if (found >= newest) return;
  const copy = `${logOf(path)}.damaged`;
  const hasLog = sizeOf(logOf(path)) > 0;
  if (hasLog && !existsSync(copy)) copyFileSync(logOf(path), copy);
  const what =
    hasLog || existsSync(copy) ? `its log is damaged, and kept as "${copy}"` : `its log "${logOf(path)}" is gone`;
  throw new StorageError(
    "Corrupt",
    `Cannot open the store "${path}": it ends at revision ${found}, and revision ${newest} was acknowledged (${what}); restore both from a copy, remove "${newestRevisionFile(path)}" to go on without the writes that are missing, or ${startEmpty(path)}`,
  );
}

const logOf = (path: string): string => `${path}-wal`;
const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
const startEmpty = (path: string): string => `move "${path}*" away to start an empty cluster`;

function prepareSchema(database: DatabaseSync, path: string): void {
  const id = pragma(database, "application_id");
  const version = pragma(database, "user_version");
  if (id === applicationId && version === schemaVersion) return;
  if (id === applicationId) {
    throw new StorageError(
      "Corrupt",
      `Cannot open the store "${path}": its format is ${version}, this netloom knows ${schemaVersion}; use the netloom that wrote it, or ${startEmpty(path)}`,
    );
  }
  const tables = database.prepare("SELECT count(*) AS count FROM sqlite_schema").get();
  if (id !== 0 || version !== 0 || tables?.["count"] !== 0) {
    throw new StorageError(
      "Corrupt",
      `Cannot open the store "${path}": it is another program's database; ${startEmpty(path)}`,
    );
  }
  database.exec(`BEGIN; ${schema} COMMIT;`);
}

function storageErrorOf(path: string, cause: unknown): StorageError {
  if (cause instanceof StorageError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (/not a database|malformed|corrupt/.test(reason)) {
    return new StorageError(
      "Corrupt",
      `Cannot open the store "${path}": ${reason}; nothing was changed: restore the file from a copy, or ${startEmpty(path)}`,
      { cause },
    );
  }
  const remedy = /locked|busy/.test(reason)
    ? "another netloom has this cluster open: stop it first"
    : "check that the folder exists, is writable and has free space";
  return new StorageError("Unavailable", `Cannot open the store "${path}": ${reason}; ${remedy}`, { cause });
}
