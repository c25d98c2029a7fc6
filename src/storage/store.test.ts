import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, describe, test } from "node:test";
import type { KubernetesObject } from "../api/object.ts";
import { createMemoryStore, openSqliteStore, StorageError } from "./index.ts";
import type { ObjectStore, StoreEvent, StoreKey } from "./index.ts";
import { createStore, type StoreOptions } from "./store.ts";
import type { LogBatch } from "./write-log.ts";

const folder = mkdtempSync(join(tmpdir(), "netloom-store-"));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const newPath = (): string => join(folder, `store-${++files}.db`);

const pod = (name: string, namespace = "default"): StoreKey => ({ resource: "pods", namespace, name });
const named = (name: string, labels: Record<string, string> = {}): KubernetesObject => ({ metadata: { name, labels } });
const hasCode = (code: string) => (error: unknown) => error instanceof StorageError && error.code === code;
const namesOf = (store: ObjectStore, namespace?: string): string[] =>
  store
    .list("pods", namespace === undefined ? {} : { namespace })
    .items.map(({ key }) => `${key.namespace}/${key.name}`);

const implementations: Readonly<Record<string, (history?: StoreOptions["history"]) => ObjectStore>> = {
  "memory store": (history) => createMemoryStore(history === undefined ? {} : { history }),
  "SQLite store": (history) => openSqliteStore(newPath(), history === undefined ? {} : { history }),
};

for (const [name, open] of Object.entries(implementations)) {
  describe(name, () => {
    // oxlint-disable-next-line unicorn/consistent-function-scoping -- it does capture: `open`
    const withStore = (
      title: string,
      body: (store: ObjectStore) => Promise<void>,
      history?: StoreOptions["history"],
    ): void => {
      test(title, async () => {
        const store = open(history);
        try {
          await body(store);
        } finally {
          await store.close();
        }
      });
    };

    withStore("create() stamps the object with the revision and makes it readable", async (store) => {
      const stored = await store.create(pod("a"), named("a"));
      assert.equal(stored.revision, 1);
      assert.equal(stored.object.metadata?.resourceVersion, "1");
      assert.deepEqual(JSON.parse(stored.text), stored.object);
      assert.equal(store.get(pod("a")), stored);
      assert.equal(store.revision, 1);
    });

    withStore("get() does not see a write before its commit, latest() does", async (store) => {
      const written = store.create(pod("a"), named("a"));
      assert.equal(store.get(pod("a")), undefined);
      assert.equal(store.latest(pod("a"))?.revision, 1);
      await written;
      assert.equal(store.get(pod("a"))?.revision, 1);
    });

    withStore("create() of an existing name rejects with Exists, also before the first commit", async (store) => {
      const first = store.create(pod("a"), named("a"));
      await assert.rejects(store.create(pod("a"), named("a")), hasCode("Exists"));
      await first;
      await assert.rejects(store.create(pod("a"), named("a")), hasCode("Exists"));
    });

    withStore("update() compares the revision", async (store) => {
      const { revision } = await store.create(pod("a"), named("a"));
      const updated = await store.update(pod("a"), named("a", { x: "1" }), revision);
      assert.equal(updated.revision, 2);
      await assert.rejects(store.update(pod("a"), named("a"), revision), hasCode("Conflict"));
      await assert.rejects(store.update(pod("b"), named("b"), 1), hasCode("NotFound"));
    });

    withStore("writes in one turn build on each other", async (store) => {
      const results = [store.create(pod("a"), named("a"))];
      for (let count = 0; count < 9; count++) {
        const base = store.latest(pod("a"));
        results.push(store.update(pod("a"), named("a", { count: String(count) }), base?.revision ?? 0));
      }
      await Promise.all(results);
      assert.equal(store.get(pod("a"))?.object.metadata?.labels?.["count"], "8");
      assert.equal(store.revision, 10);
    });

    withStore("delete() and create() under the same name in one turn", async (store) => {
      await store.create(pod("a"), named("a"));
      const results = [
        store.delete(pod("a"), 1),
        store.create(pod("a"), named("a", { turn: "2" })),
        store.delete(pod("a"), 3),
      ];
      assert.equal(store.latest(pod("a")), undefined);
      const deleted = await results[0];
      assert.equal(deleted?.object.metadata?.resourceVersion, "2");
      await Promise.all(results);
      assert.equal(store.get(pod("a")), undefined);
    });

    withStore("list() is in the order of namespace and name", async (store) => {
      for (const [namespace, key] of [
        ["b", "x"],
        ["a-b", "z"],
        ["a", "y"],
        ["a", "b-1"],
        ["a", "b"],
      ] as const) {
        await store.create(pod(key, namespace), named(key));
      }
      assert.deepEqual(namesOf(store), ["a-b/z", "a/b", "a/b-1", "a/y", "b/x"]);
      assert.deepEqual(namesOf(store, "a"), ["a/b", "a/b-1", "a/y"]);
      assert.deepEqual(namesOf(store, "c"), []);
      const rest = store.list("pods", { namespace: "a", after: { namespace: "a", name: "b" } });
      assert.deepEqual(
        rest.items.map(({ key }) => key.name),
        ["b-1", "y"],
      );
    });

    withStore("list() at an older revision undoes what came later", async (store) => {
      await store.create(pod("a"), named("a"));
      await store.create(pod("b"), named("b"));
      await store.update(pod("a"), named("a", { x: "1" }), 1);
      await store.delete(pod("b"), 2);
      await store.create(pod("c"), named("c"));
      const { items, revision } = store.list("pods", { revision: 2 });
      assert.equal(revision, 2);
      assert.deepEqual(
        items.map(({ key, revision: at }) => [key.name, at]),
        [
          ["a", 1],
          ["b", 2],
        ],
      );
      assert.throws(() => store.list("pods", { revision: 99 }), hasCode("Future"));
    });

    withStore("watch() replays the past and then follows", async (store) => {
      await store.create(pod("a"), named("a"));
      await store.update(pod("a"), named("a", { x: "1" }), 1);
      const events: StoreEvent[] = [];
      const stop = store.watch("pods", 1, (event) => events.push(event));
      await store.create({ resource: "services", namespace: "default", name: "other" }, named("other"));
      await store.delete(pod("a"), 2);
      stop();
      await store.create(pod("z"), named("z"));
      assert.deepEqual(
        events.map(({ type, revision, previous }) => [type, revision, previous?.revision]),
        [
          ["MODIFIED", 2, 1],
          ["DELETED", 4, 2],
        ],
      );
      assert.equal(events[1]?.current.object.metadata?.labels?.["x"], "1");
    });

    withStore("watch() hands over an event only when its object can be read", async (store) => {
      let seen: number | undefined;
      store.watch("pods", 0, (event) => {
        seen = store.get(event.current.key)?.revision;
      });
      await store.create(pod("a"), named("a"));
      assert.equal(seen, 1);
    });

    withStore("compact() makes older watches and lists fail, and keeps what is current", async (store) => {
      await store.create(pod("a"), named("a"));
      await store.update(pod("a"), named("a"), 1);
      await store.create(pod("b"), named("b"));
      store.compact(2);
      assert.throws(() => store.watch("pods", 1, () => undefined), hasCode("Compacted"));
      assert.throws(() => store.list("pods", { revision: 1 }), hasCode("Compacted"));
      assert.deepEqual(namesOf(store), ["default/a", "default/b"]);
      const events: number[] = [];
      store.watch("pods", 2, ({ revision }) => events.push(revision));
      assert.deepEqual(events, [3]);
    });

    withStore(
      "the history of a resource is bounded by its size, and not by that of others",
      async (store) => {
        await store.create({ resource: "services", namespace: "default", name: "quiet" }, named("quiet"));
        await store.create(pod("a"), named("a"));
        for (let count = 0; count < 100; count++) {
          await store.update(pod("a"), named("a"), store.get(pod("a"))?.revision ?? 0);
        }
        assert.throws(() => store.watch("pods", 2, () => undefined), hasCode("Compacted"));
        let replayed = 0;
        store.watch("pods", store.revision - 8, () => replayed++);
        store.watch("services", 0, () => replayed++);
        assert.equal(replayed, 9);
      },
      { events: 8 },
    );

    withStore(
      "the history of a resource is bounded by the size of its objects, too",
      async (store) => {
        const long = named("a", { text: "x".repeat(10_000) });
        await store.create(pod("a"), long);
        for (let count = 0; count < 40; count++) {
          await store.update(pod("a"), long, store.get(pod("a"))?.revision ?? 0);
        }
        assert.throws(() => store.watch("pods", store.revision - 20, () => undefined), hasCode("Compacted"));
        let replayed = 0;
        store.watch("pods", store.revision - 4, () => replayed++);
        assert.equal(replayed, 4);
      },
      { characters: 50_000 },
    );

    withStore(
      "an object larger than its history is stored and told to watchers",
      async (store) => {
        const seen: string[] = [];
        store.watch("pods", 0, ({ type }) => seen.push(type));
        await store.create(pod("a"), named("a", { text: "x".repeat(10_000) }));
        await store.delete(pod("a"), 1);
        assert.deepEqual(seen, ["ADDED", "DELETED"]);
      },
      { characters: 100 },
    );

    withStore("objects that were let go are read again as they were", async (store) => {
      const { object } = await store.create(pod("a"), named("a", { x: "1" }));
      await store.update(pod("a"), named("a", { x: "2" }), 1);
      store.letGoOfUnread();
      store.letGoOfUnread();
      const [first] = store.list("pods", { revision: 1 }).items;
      assert.deepEqual(first?.object, object);
      assert.ok(Object.isFrozen(first?.object.metadata));
      assert.equal(store.get(pod("a"))?.object.metadata?.labels?.["x"], "2");
    });

    withStore("objects cannot be changed from outside", async (store) => {
      const object = { metadata: { name: "a", labels: { x: "1" } } };
      const stored = await store.create(pod("a"), object);
      const labels = stored.object.metadata?.labels as Record<string, string>;
      assert.throws(() => (labels["x"] = "2"), TypeError);
    });

    test("writes after close() reject with Unavailable", async () => {
      const store = open();
      await store.close();
      await assert.rejects(store.create(pod("a"), named("a")), hasCode("Unavailable"));
    });
  });
}

test("SQLite store: what was acknowledged is there after it is opened again, with its watch history", async () => {
  const path = newPath();
  const first = openSqliteStore(path, { history: { events: 4 } });
  await first.create(pod("a"), named("a"));
  await first.create(pod("b"), named("b"));
  for (let count = 0; count < 20; count++) {
    await first.update(pod("a"), named("a", { count: String(count) }), first.get(pod("a"))?.revision ?? 0);
  }
  await first.delete(pod("b"), 2);
  const { revision } = first;
  await first.close();

  const second = openSqliteStore(path, { history: { events: 4 } });
  assert.equal(second.revision, revision);
  assert.deepEqual(namesOf(second), ["default/a"]);
  const kept = second.get(pod("a"));
  assert.equal(kept?.peek().metadata?.labels?.["count"], "19");
  assert.notEqual(kept?.peek(), kept?.peek(), "nobody keeps what was looked at once");
  assert.equal(kept?.object.metadata?.labels?.["count"], "19");
  assert.equal(kept?.peek(), kept?.object);
  const events: StoreEvent[] = [];
  second.watch("pods", revision - 2, (event) => events.push(event));
  assert.deepEqual(
    events.map(({ type }) => type),
    ["MODIFIED", "DELETED"],
  );
  assert.throws(() => second.watch("pods", 3, () => undefined), hasCode("Compacted"));
  assert.equal((await second.create(pod("c"), named("c"))).revision, revision + 1);
  await second.close();
});

test("SQLite store: rows that nobody can ask for any more leave the file", async () => {
  const path = newPath();
  const store = openSqliteStore(path, { history: { events: 4 } });
  await store.create(pod("a"), named("a"));
  for (let count = 0; count < 50; count++) {
    await store.update(pod("a"), named("a"), store.get(pod("a"))?.revision ?? 0);
  }
  await store.close();
  const database = new DatabaseSync(path);
  const rows = Number(database.prepare("SELECT count(*) AS count FROM versions").get()?.["count"]);
  database.close();
  assert.ok(rows <= 8, `${rows} rows for one object and a history of 4`);
});

test("SQLite store: the file shrinks again after a burst, while it is open", async () => {
  const path = newPath();
  const store = openSqliteStore(path, { history: { events: 4 } });
  const large = named("a", { text: "x".repeat(100_000) });
  const names = Array.from({ length: 200 }, (_, index) => `a${index}`);
  await Promise.all(names.map(async (name) => await store.create(pod(name), large)));
  const pagesOf = (): number => (statSync(path).size + statSync(`${path}-wal`).size) / 4096;
  const full = pagesOf();
  await Promise.all(names.map(async (name) => await store.delete(pod(name), store.get(pod(name))?.revision ?? 0)));
  for (let commits = 0; commits < 60; commits++) {
    await store.create(pod(`b${commits}`), named("b"));
  }
  await store.close();
  assert.ok(full > 4800, `${full} pages after the burst`);
  assert.ok(statSync(path).size / 4096 < full / 2, `${statSync(path).size / 4096} of ${full} pages are left`);
});

test("SQLite store: a file of a former netloom learns to shrink and keeps what it has", async () => {
  const path = newPath();
  const first = openSqliteStore(path);
  await first.create(pod("a"), named("a"));
  await first.close();
  const old = new DatabaseSync(path);
  old.exec("PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = NONE; VACUUM");
  assert.equal(old.prepare("PRAGMA auto_vacuum").get()?.["auto_vacuum"], 0);
  old.close();
  const second = openSqliteStore(path);
  assert.deepEqual(namesOf(second), ["default/a"]);
  await second.close();
  const now = new DatabaseSync(path);
  assert.equal(now.prepare("PRAGMA auto_vacuum").get()?.["auto_vacuum"], 2);
  now.close();
});

test("SQLite store: a damaged file is refused and left as it is", () => {
  const path = newPath();
  writeFileSync(path, "not a database, but long enough to be taken for one: ".repeat(200));
  const before = readFileSync(path);
  assert.throws(() => openSqliteStore(path), hasCode("Corrupt"));
  assert.deepEqual(readFileSync(path), before);
});

test("SQLite store: a file with damaged pages is refused and left as it is", async () => {
  const path = newPath();
  const store = openSqliteStore(path);
  for (let count = 0; count < 50; count++) await store.create(pod(`p${count}`), named("x".repeat(2000)));
  await store.close();
  const broken = readFileSync(path);
  broken.fill(0x5a, 4096);
  writeFileSync(path, broken);
  assert.throws(() => openSqliteStore(path), hasCode("Corrupt"));
  assert.ok(readFileSync(path).equals(broken));
});

test("SQLite store: another program's database is refused", () => {
  const path = newPath();
  const database = new DatabaseSync(path);
  database.exec("CREATE TABLE cookies (name TEXT)");
  database.close();
  assert.throws(() => openSqliteStore(path), hasCode("Corrupt"));
});

test("SQLite store: its files are for their owner only", async () => {
  const path = newPath();
  const store = openSqliteStore(path);
  await store.create({ resource: "secrets", namespace: "a", name: "b" }, {});
  for (const file of [path, `${path}-wal`]) assert.equal(statSync(file).mode & 0o777, 0o600, file);
  await store.close();
});

test("SQLite store: a folder that does not exist is named", () => {
  assert.throws(() => openSqliteStore(join(folder, "nowhere", "store.db")), hasCode("Unavailable"));
});

test("SQLite store: a second opening of the same file is refused", async () => {
  const path = newPath();
  const store = openSqliteStore(path);
  await store.create(pod("a"), named("a"));
  assert.throws(() => openSqliteStore(path), hasCode("Unavailable"));
  await store.close();
});

test("createStore() rejects a failed batch and all that was built on it, and goes on afterwards", async () => {
  let isFull = true;
  const written: LogBatch[] = [];
  const store = createStore({
    log: {
      commit: async (batch) => {
        await Promise.resolve();
        if (isFull) throw new Error("database or disk is full");
        written.push(batch);
      },
      close: () => Promise.resolve(),
    },
  });
  const first = store.create(pod("a"), named("a"));
  const second = store.update(pod("a"), named("a"), 1);
  await assert.rejects(first, hasCode("Unavailable"));
  await assert.rejects(second, /disk is full/);
  assert.equal(store.latest(pod("a")), undefined);
  isFull = false;
  const stored = await store.create(pod("a"), named("a"));
  assert.ok(stored.revision > 2, "revisions are never used twice");
  assert.equal(written.length, 1);
  await store.close();
});
