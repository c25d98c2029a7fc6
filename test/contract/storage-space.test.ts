/** The store's file after a burst of thirty thousand objects that came and went, while the store is open and at work. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { keepHouse } from "../../src/components/kube-apiserver/housekeeping.ts";
import { FakeClock } from "../../src/machinery/fake-clock.ts";
import { silentLogger } from "../../src/machinery/log.ts";
import { type ObjectStore, openSqliteStore } from "../../src/storage/index.ts";

const objects = 30_000;
const megabyte = 1024 * 1024;
const text = "x".repeat(900);

/** Leases renewed: what a cluster at rest writes. */
async function renew(store: ObjectStore, times: number): Promise<void> {
  const key = { resource: "leases.coordination.k8s.io", namespace: "kube-node-lease", name: "node-1" };
  const object = { metadata: { name: key.name, namespace: key.namespace } };
  let last = store.get(key) ?? (await store.create(key, object));
  for (let count = 0; count < times; count += 1) last = await store.update(key, object, last.revision);
}

for (const resource of ["configmaps", "events"]) {
  test(`thirty thousand ${resource} that came and went leave a small file: at once, and after five quiet minutes a smaller one`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "netloom-space-"));
    const path = join(folder, "store.db");
    const store = openSqliteStore(path);
    const stop = new AbortController();
    const clock = new FakeClock();
    const house = keepHouse({ store, watches: new Set(), clock, log: silentLogger }, stop.signal);
    const bytes = (): number => statSync(path).size + statSync(`${path}-wal`).size;
    try {
      const keys = Array.from({ length: objects }, (_, index) => ({
        resource,
        namespace: "default",
        name: `one-${index}`,
      }));
      const made = await Promise.all(
        keys.map(async (key) => await store.create(key, { metadata: { name: key.name, annotations: { text } } })),
      );
      await Promise.all(made.map(async ({ key, revision }) => await store.delete(key, revision)));
      const full = bytes();
      assert.ok(full > 50 * megabyte, `${full} bytes after the burst`);
      // A MiB goes with each commit: two minutes of a cluster of three nodes at rest.
      await renew(store, 80);
      // 4,096 deletions and what they deleted are history still, a quarter may be free, and 4 MiB are the log's.
      const history = 4096 * 1.25 * 2 * (text.length + 350);
      assert.ok(bytes() < (history * 4) / 3 + 6 * megabyte, `${bytes()} bytes while there is history`);
      for (let minute = 0; minute < 8; minute += 1) {
        for (let sweep = 0; sweep < 6; sweep += 1) await clock.advance(10_000);
        await renew(store, 10);
      }
      assert.ok(bytes() < 10 * megabyte, `${bytes()} bytes after five minutes`);
      assert.equal(store.count(resource), 0);
    } finally {
      stop.abort();
      await house;
      await store.close();
      rmSync(folder, { recursive: true });
    }
  });
}
