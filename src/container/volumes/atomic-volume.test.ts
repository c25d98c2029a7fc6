import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { array, assert as assertProperty, dictionary, oneof, property, string, constantFrom } from "fast-check";
import { VolumePathError, writeAtomicVolume, type VolumeFile } from "./atomic-volume.ts";

function inFolder(work: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "netloom-volume-"));
  try {
    work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const filesOf = (texts: Readonly<Record<string, string>>): ReadonlyMap<string, VolumeFile> =>
  new Map(Object.entries(texts).map(([path, contents]) => [path, { contents }]));
const visible = (folder: string): readonly string[] => readdirSync(folder).filter((name) => !name.startsWith(".."));

test("writeAtomicVolume() lays files out behind one link that is replaced", () => {
  inFolder((folder) => {
    const files = new Map([
      ...filesOf({ "nginx.conf": "one" }),
      ["keys/tls.key", { contents: "key", mode: 0o400 }] as const,
    ]);
    assert.equal(writeAtomicVolume(folder, files, { mode: 0o644 }), true);
    assert.deepEqual(visible(folder), ["keys", "nginx.conf"]);
    assert.equal(readlinkSync(join(folder, "nginx.conf")), "..data/nginx.conf");
    assert.equal(readFileSync(join(folder, "keys/tls.key"), "utf8"), "key");
    assert.equal(statSync(join(folder, "keys/tls.key")).mode & 0o777, 0o400);
    assert.equal(statSync(join(folder, "nginx.conf")).mode & 0o777, 0o644);
    const first = readlinkSync(join(folder, "..data"));
    assert.equal(writeAtomicVolume(folder, files, { mode: 0o644 }), false);
    assert.equal(readlinkSync(join(folder, "..data")), first);
    assert.equal(writeAtomicVolume(folder, filesOf({ "nginx.conf": "two", more: "x" }), { mode: 0o644 }), true);
    assert.deepEqual(visible(folder), ["more", "nginx.conf"]);
    assert.equal(readFileSync(join(folder, "nginx.conf"), "utf8"), "two");
    assert.equal(readdirSync(folder).filter((name) => name.startsWith("..version")).length, 1);
  });
});

test("writeAtomicVolume() refuses paths that leave the volume before it writes anything", () => {
  inFolder((folder) => {
    for (const path of ["", "/etc/passwd", "../x", "a/../../x", "..data", "..data/x"]) {
      assert.throws(
        () => writeAtomicVolume(folder, filesOf({ good: "", [path]: "" }), { mode: 0o644 }),
        VolumePathError,
        path,
      );
    }
    assert.deepEqual(readdirSync(folder), []);
  });
});

test("writeAtomicVolume() shows exactly the last files, whatever came before", () => {
  const name = constantFrom("a", "b", "c/d", "c/e", "f/g/h");
  const versions = array(dictionary(name, oneof(string(), constantFrom("same"))), { minLength: 1, maxLength: 4 });
  inFolder((base) => {
    let count = 0;
    assertProperty(
      property(versions, (all) => {
        const folder = join(base, String(count++));
        for (const texts of all) {
          writeAtomicVolume(folder, filesOf(texts), { mode: 0o644 });
          const shown = readdirSync(join(folder, "..data"), { recursive: true, withFileTypes: true }).filter((entry) =>
            entry.isFile(),
          );
          assert.equal(shown.length, Object.keys(texts).length);
          for (const [path, text] of Object.entries(texts))
            assert.equal(readFileSync(join(folder, path), "utf8"), text);
          assert.deepEqual(
            visible(folder),
            [...new Set(Object.keys(texts).map((path) => path.split("/")[0] ?? ""))].toSorted(),
          );
        }
      }),
      { numRuns: 30 },
    );
  });
});
