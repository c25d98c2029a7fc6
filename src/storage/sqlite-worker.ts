/** The thread that writes: `node:sqlite` blocks until the disk has the data, which the API's thread must not. */
import { closeSync, openSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { openNewestRevision } from "./newest-revision.ts";
import { openDatabase } from "./sqlite-schema.ts";
import { spaceKeeper } from "./sqlite-space.ts";
import type { LogBatch } from "./write-log.ts";

/** `open` comes first, `close` asks for the end; the answer carries no error when all went well. */
export type WorkerRequest = { readonly open: true } | { readonly batch: LogBatch } | { readonly close: true };
export interface WorkerAnswer {
  readonly error?: string;
}

const port = parentPort;
if (port === null) throw new Error("Cannot run the store's writer: it must be started as a Worker");

const { path } = workerData as { readonly path: string };
let writer: ReturnType<typeof openWriter> | undefined;

port.on("message", (request: WorkerRequest) => {
  let answer: WorkerAnswer = {};
  try {
    if ("open" in request) writer = openWriter();
    else if ("batch" in request) writer?.write(request.batch);
    else writer?.close();
  } catch (error) {
    answer = { error: causeOf(error) };
  }
  port.postMessage(answer);
  if ("close" in request) port.close();
  else if ("batch" in request && answer.error === undefined) writer?.tidy();
});

function openWriter() {
  const database = openDatabase(path);
  const insert = database.prepare(
    "INSERT INTO versions (revision, resource, namespace, name, is_deleted, text) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const remove = database.prepare("DELETE FROM versions WHERE revision = ?");
  const markCompacted = database.prepare(
    "INSERT INTO compactions (resource, revision) VALUES (?, ?) ON CONFLICT (resource) DO UPDATE SET revision = excluded.revision",
  );

  const giveBackSpace = spaceKeeper(database);
  const newest = openNewestRevision(path);

  function write(batch: LogBatch): void {
    database.exec("BEGIN IMMEDIATE");
    try {
      for (const row of batch.rows) {
        insert.run(row.revision, row.resource, row.namespace, row.name, row.isDeleted ? 1 : 0, row.text);
      }
      for (const revision of batch.forget) remove.run(revision);
      for (const [resource, revision] of batch.compacted) markCompacted.run(resource, revision);
      database.exec("COMMIT");
      const last = batch.rows.at(-1);
      if (last !== undefined) newest.note(last.revision);
    } catch (error) {
      // On a full disk SQLite may have rolled back by itself.
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
  }

  /** After the answer: nobody waits for it. */
  function tidy(): void {
    try {
      giveBackSpace();
    } catch {
      // On a full disk, for one; the next commit tells.
    }
  }

  function close(): void {
    database.close();
    newest.close();
  }

  return { write, tidy, close };
}

/** SQLite says "disk I/O error", and not why: whether the file can be opened for writing often tells. */
function causeOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (!/I\/O error|readonly/.test(message)) return message;
  try {
    closeSync(openSync(path, "r+"));
    return `${message}; check the disk that holds "${path}"`;
  } catch (reason) {
    return `${message}: ${reason instanceof Error ? reason.message : String(reason)}; make the file and its folder writable again`;
  }
}
