/** A process that holds the store is killed under load, again and again. NETLOOM_STORE_KILLS says how often (100). */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type ObjectStore, openSqliteStore, type StoreEvent } from "../../src/storage/index.ts";

const folder = mkdtempSync(join(tmpdir(), "netloom-crash-"));
after(() => rmSync(folder, { recursive: true }));
const kills = Number(process.env["NETLOOM_STORE_KILLS"] ?? "100");
const shortHistory = 64;

interface Acknowledged {
  readonly name: string;
  readonly revision: number;
  readonly isDeleted: boolean;
}

/** Kills the writer once it has acknowledged so many writes, or after so many milliseconds; gives what it acknowledged. */
function crash(
  path: string,
  how: { readonly historySize: number; readonly writes: number; readonly afterMs: number | undefined },
): Promise<readonly Acknowledged[]> {
  return new Promise((resolve, reject) => {
    const victim = join(import.meta.dirname, "storage-victim.ts");
    const writer = spawn(process.execPath, [victim, path, `${how.historySize}`], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const timer = how.afterMs === undefined ? undefined : setTimeout(() => writer.kill("SIGKILL"), how.afterMs);
    const acknowledged: Acknowledged[] = [];
    let rest = "";
    writer.stdout.setEncoding("utf8").on("data", (text: string) => {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      for (const line of parts) {
        const [revision, name = "", mark] = line.split(" ");
        acknowledged.push({ name, revision: Number(revision), isDeleted: mark === "-" });
      }
      if (acknowledged.length >= how.writes) writer.kill("SIGKILL");
    });
    writer.once("error", reject);
    writer.once("close", (code, signal) => {
      clearTimeout(timer);
      if (signal === "SIGKILL") resolve(acknowledged);
      else reject(new Error(`the writer ended by itself with exit code ${code}`));
    });
  });
}

/** The last word about each object. */
function latest(writes: readonly Acknowledged[]): ReadonlyMap<string, Acknowledged> {
  const last = new Map<string, Acknowledged>();
  for (const write of writes) if ((last.get(write.name)?.revision ?? 0) < write.revision) last.set(write.name, write);
  return last;
}

/** What was acknowledged of the writer that was just killed; one write more of each object may have been committed. */
function assertKept(store: ObjectStore, writes: ReadonlyMap<string, Acknowledged>): void {
  const found = revisionsIn(store);
  for (const { name, revision, isDeleted } of writes.values()) {
    const present = found.get(name);
    const isKept = present === undefined ? isDeleted || deletedAfter(store, name, revision) : present >= revision;
    assert.ok(isKept, `${name} was acknowledged at ${revision}, found ${present}`);
  }
}

const revisionsIn = (store: ObjectStore): ReadonlyMap<string, number> =>
  new Map(store.list("configmaps").items.map(({ key, revision }) => [key.name, revision]));

function deletedAfter(store: ObjectStore, name: string, revision: number): boolean {
  return eventsAfter(store, store.revision - shortHistory / 2).some(
    (event) => event.type === "DELETED" && event.current.key.name === name && event.revision > revision,
  );
}

function eventsAfter(store: ObjectStore, revision: number): readonly StoreEvent[] {
  const events: StoreEvent[] = [];
  store.watch("configmaps", Math.max(0, revision), (event) => events.push(event))();
  return events;
}

/** A watcher that comes back hears of every write since, once and in order. */
function assertResumes(store: ObjectStore, from: number, writes: readonly Acknowledged[]): void {
  const events = eventsAfter(store, from);
  const revisions = events.map(({ revision }) => revision);
  assert.deepEqual(
    revisions,
    [...new Set(revisions)].toSorted((a, b) => a - b),
  );
  const heard = new Set(
    events.map(({ type, revision, current }) => `${revision} ${current.key.name} ${type === "DELETED"}`),
  );
  for (const { revision, name, isDeleted } of writes) assert.ok(heard.has(`${revision} ${name} ${isDeleted}`), name);
}

function assertSound(path: string): void {
  const database = new DatabaseSync(path);
  assert.equal(database.prepare("PRAGMA integrity_check").get()?.["integrity_check"], "ok");
  database.close();
}

test(
  `killed under load ${kills} times, the store loses nothing it acknowledged, and watches resume`,
  { timeout: 60_000 + kills * 2000 },
  async () => {
    const path = join(folder, "store.db");
    /** What was in the store after the last kill, and nobody has written since. */
    let settled: ReadonlyMap<string, number> = new Map();
    let newest = 0;
    let total = 0;
    for (let round = 0; round < kills; round += 1) {
      // Every other time the history is long enough for a watcher to miss nothing.
      const historySize = round % 2 === 0 ? shortHistory : 1_000_000;
      // Some die while they open the file, and with it what the last one left in its log.
      const afterMs = round % 5 === 4 ? randomInt(40, 200) : undefined;
      const writes = await crash(path, { historySize, writes: randomInt(1, 600), afterMs });
      total += writes.length;
      const store = openSqliteStore(path, { history: { events: historySize } });
      try {
        assertKept(store, latest(writes));
        const found = revisionsIn(store);
        for (const [name, revision] of settled) assert.equal(found.get(name), revision, name);
        settled = found;
        assert.ok(store.revision >= newest + writes.length, `revision ${store.revision} after ${newest}`);
        if (historySize > shortHistory) assertResumes(store, newest, writes);
        else assert.ok(eventsAfter(store, store.revision - 10).length <= 10);
        newest = store.revision;
      } finally {
        await store.close();
      }
      assertSound(path);
    }
    assert.ok(total > kills * 10, `${total} writes`);
  },
);
