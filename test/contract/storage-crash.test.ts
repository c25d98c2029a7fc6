import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openSqliteStore } from "../../src/storage/index.ts";

const folder = mkdtempSync(join(tmpdir(), "netloom-crash-"));
after(() => rmSync(folder, { recursive: true }));
const rounds = 8;

/** Lets the writer acknowledge about `count` writes, kills it, and gives the last revision that it printed for each object. */
function crash(path: string, count: number): Promise<ReadonlyMap<string, number>> {
  return new Promise((resolve, reject) => {
    const writer = spawn(process.execPath, [join(import.meta.dirname, "storage-writer.ts"), path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const acknowledged = new Map<string, number>();
    let rest = "";
    let lines = 0;
    writer.stdout.setEncoding("utf8").on("data", (text: string) => {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      for (const line of parts) {
        const [revision = "", name = ""] = line.split(" ");
        acknowledged.set(name, Number(revision));
        lines += 1;
      }
      if (lines >= count) writer.kill("SIGKILL");
    });
    writer.on("error", reject);
    writer.on("close", () => resolve(acknowledged));
  });
}

test("killed under load again and again, the store loses nothing it acknowledged", { timeout: 60_000 }, async () => {
  const path = join(folder, "store.db");
  const expected = new Map<string, number>();
  let newest = 0;
  for (let round = 0; round < rounds; round += 1) {
    const acknowledged = await crash(path, 200 + round * 137);
    for (const [name, revision] of acknowledged) expected.set(name, revision);
    const store = openSqliteStore(path, { history: { events: 64 } });
    const found = new Map(store.list("configmaps").items.map(({ key, revision }) => [key.name, revision]));
    for (const [name, revision] of expected) {
      assert.ok(
        (found.get(name) ?? 0) >= revision,
        `${name} was acknowledged at ${revision}, found ${found.get(name)}`,
      );
    }
    assert.ok(store.revision > newest, "revisions only grow");
    newest = store.revision;
    let replayed = 0;
    store.watch("configmaps", newest - 10, () => (replayed += 1));
    assert.equal(replayed, 10, "watches resume");
    await store.close();
  }
});
