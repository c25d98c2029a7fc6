/** How the file gives back what it no longer needs: a burst of writes must not leave it large for ever. */
import type { DatabaseSync } from "node:sqlite";

/** So many pages (4 KiB each) stay free for the next writes. */
const sparePages = 1024;
/** And this share of the file: rows come and go all the time. */
const spareShare = 0.25;
/** At a time, between two commits: some milliseconds. */
const stepPages = 256;

/**
 * Lets free pages be given back one by one. A file that was made without that is rewritten once; where that is not
 * possible (the disk is full), it stays as large as it is.
 */
export function prepareSpace(database: DatabaseSync): void {
  database.exec("PRAGMA journal_size_limit = 4194304");
  if (pragma(database, "auto_vacuum") === incremental) return;
  try {
    database.exec("PRAGMA auto_vacuum = INCREMENTAL; VACUUM");
  } catch {
    // Whoever reads or writes next is told what is wrong with the file.
  }
}

/** Before the first table is made it costs nothing. Said again it would be a write, also to a file that is damaged. */
export function beginWithSpace(database: DatabaseSync): void {
  if (pragma(database, "auto_vacuum") !== incremental) database.exec("PRAGMA auto_vacuum = INCREMENTAL");
}

const incremental = 2;

/**
 * The returned function gives back a few free pages where there are many; having given back the last of them it lets the file
 * itself shrink, which otherwise waits until the log is full. Call it after commits.
 */
export function spaceKeeper(database: DatabaseSync): () => void {
  // Asked after each commit: a statement made anew would cost more than the answer.
  const freePages = database.prepare("PRAGMA freelist_count");
  const allPages = database.prepare("PRAGMA page_count");
  let isShrinking = false;
  return () => {
    const free = Number(freePages.get()?.["freelist_count"]);
    if (free > sparePages && free > Number(allPages.get()?.["page_count"]) * spareShare) {
      isShrinking = true;
      database.exec(`PRAGMA incremental_vacuum(${stepPages})`);
    } else if (isShrinking) {
      isShrinking = false;
      database.exec("PRAGMA wal_checkpoint(PASSIVE)");
    }
  };
}

export function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}
