/**
 * A store whose files were damaged while nobody had it open, with its last writes still in SQLite's log: no write that was
 * acknowledged is missing without a word, and what is said names the file, the damage and the remedy.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  cpSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { openSqliteStore, StorageError } from "../../src/storage/index.ts";

const overwrite = (path: string, offset: number, bytes: Buffer): void => {
  const fd = openSync(path, "r+");
  writeSync(fd, bytes, 0, bytes.length, offset);
  closeSync(fd);
};
const size = (path: string): number => statSync(path).size;

describe("openSqliteStore() of damaged files", () => {
  const folder = mkdtempSync(join(tmpdir(), "netloom-damage-"));
  const intact = join(folder, "intact");
  /** The newest revision that the victim was told of. */
  let acknowledged = 0;

  before(async () => {
    const path = join(folder, "store.db");
    const victim = join(import.meta.dirname, "storage-victim.ts");
    const writer = spawn(process.execPath, [victim, path, "1000000"], { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    writer.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.split("\n").length > 300) writer.kill("SIGKILL");
    });
    await once(writer, "close");
    // The last line may be half a one.
    acknowledged = Math.max(
      ...said
        .split("\n")
        .slice(0, -1)
        .map((line) => Number(line.split(" ")[0])),
    );
    for (const name of readdirSync(folder)) cpSync(join(folder, name), join(intact, name));
  });
  after(() => rmSync(folder, { recursive: true }));

  /** The store of a copy of the files with `damage` done; undefined and the error where it does not open. */
  async function openDamaged(damage: (database: string) => void) {
    const copy = mkdtempSync(join(folder, "copy-"));
    cpSync(intact, copy, { recursive: true });
    const path = join(copy, "store.db");
    damage(path);
    const filesBefore = new Map(readdirSync(copy).map((name) => [name, readFileSync(join(copy, name))]));
    const isUnchanged = (): boolean =>
      readdirSync(copy).length === filesBefore.size &&
      [...filesBefore].every(
        ([name, bytes]) => existsSync(join(copy, name)) && readFileSync(join(copy, name)).equals(bytes),
      );
    try {
      const store = openSqliteStore(path);
      const { revision } = store;
      await store.close();
      return { path, revision, error: undefined, isUnchanged };
    } catch (error) {
      assert.ok(error instanceof StorageError, String(error));
      return { path, revision: undefined, error, isUnchanged };
    }
  }

  const harmless: readonly (readonly [string, (database: string) => void])[] = [
    ["nothing", () => undefined],
    ["an index of the log that is missing", (database) => rmSync(`${database}-shm`, { force: true })],
    [
      "half a frame after the last",
      (database) => {
        const log = `${database}-wal`;
        overwrite(log, size(log), Buffer.alloc(1000, 0x5a));
      },
    ],
    ["a note of the newest revision that is half-written", (database) => truncateSync(`${database}-newest`, 7)],
  ];
  for (const [what, damage] of harmless) {
    test(`${what}: all writes are there`, async () => {
      const { revision, error } = await openDamaged(damage);
      assert.equal(error, undefined);
      assert.ok((revision ?? 0) >= acknowledged, `${revision} of ${acknowledged}`);
    });
  }

  const lossy: readonly (readonly [string, (log: string) => void])[] = [
    ["whose last frame is torn", (log) => truncateSync(log, size(log) - 1000)],
    ["cut in the middle of a frame", (log) => truncateSync(log, Math.floor(size(log) / 2) + 13)],
    ["with zeroes in its middle", (log) => overwrite(log, Math.floor(size(log) / 2), Buffer.alloc(8192))],
    [
      "with another byte in a frame",
      (log) =>
        overwrite(
          log,
          Math.floor(size(log) / 3),
          Buffer.from([0x5a ^ (readFileSync(log)[Math.floor(size(log) / 3)] ?? 0)]),
        ),
    ],
    ["whose header is garbage", (log) => overwrite(log, 0, Buffer.alloc(32, 0x5a))],
    ["that is empty", (log) => truncateSync(log, 0)],
    ["that is gone", (log) => rmSync(log)],
  ];
  for (const [what, damage] of lossy) {
    test(`a log ${what}: what is missing is told, and the damaged log kept`, async () => {
      const { path, error } = await openDamaged((database) => damage(`${database}-wal`));
      assert.equal(error?.code, "Corrupt");
      const text = error.message;
      assert.ok(text.startsWith(`Cannot open the store "${path}": it ends at revision `), text);
      assert.match(text, /and revision \d+ was acknowledged/);
      const noted = Number(/and revision (\d+) was acknowledged/.exec(text)?.[1]);
      assert.ok(noted >= acknowledged, text);
      const hasLog = !/gone|empty/.test(what);
      assert.equal(existsSync(`${path}-wal.damaged`), hasLog);
      assert.match(text, hasLog ? /its log is damaged, and kept as ".*-wal\.damaged"/ : /its log ".*-wal" is gone/);
      // The same once more: the first time has changed nothing about it.
      assert.throws(() => openSqliteStore(path), { code: "Corrupt", message: text });
      // The remedy it names.
      rmSync(`${path}-newest`);
      const store = openSqliteStore(path);
      assert.ok(store.revision < noted);
      const key = { resource: "configmaps", namespace: "default", name: "after" };
      await store.create(key, { metadata: { name: "after" } });
      await store.close();
      const again = openSqliteStore(path);
      assert.equal(again.get(key)?.revision, again.revision);
      await again.close();
    });
  }

  const refused: readonly (readonly [string, RegExp, (database: string) => void])[] = [
    ["that is empty", /it is empty, and revision \d+ was acknowledged/, (database) => truncateSync(database, 0)],
    ["that is gone", /it is gone, and revision \d+ was acknowledged/, (database) => rmSync(database)],
    [
      "that is empty, and has its log only",
      /it is empty, and there is its log ".*-wal"/,
      (database) => {
        truncateSync(database, 0);
        rmSync(`${database}-newest`);
      },
    ],
    [
      "of which half is gone",
      /malformed/,
      (database) => {
        // Only what the log does not have.
        rmSync(`${database}-wal`);
        rmSync(`${database}-newest`);
        truncateSync(database, Math.floor(size(database) / 2));
      },
    ],
    [
      "whose header is garbage",
      /not a database/,
      (database) => {
        rmSync(`${database}-wal`);
        overwrite(database, 0, Buffer.alloc(100, 0x5a));
      },
    ],
  ];
  for (const [what, reason, damage] of refused) {
    test(`a database ${what} is refused and left as it is`, async () => {
      const { path, error, isUnchanged } = await openDamaged(damage);
      assert.equal(error?.code, "Corrupt");
      assert.match(error.message, reason);
      assert.ok(error.message.includes(`"${path}"`) && error.message.includes(`move "${path}*" away`), error.message);
      assert.match(error.message, /nothing was changed/);
      assert.ok(isUnchanged(), readdirSync(join(path, "..")).join(" "));
    });
  }

  test("moved away as the messages say, the files make room for an empty store", async () => {
    const { path } = await openDamaged((database) => rmSync(database));
    for (const name of readdirSync(join(path, ".."))) rmSync(join(path, "..", name));
    const store = openSqliteStore(path);
    assert.equal(store.revision, 0);
    await store.close();
  });
});
