import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { makeFolder } from "./make-folder.ts";

const root = mkdtempSync(join(tmpdir(), "nl-folder-"));
after(() => rmSync(root, { recursive: true }));

test("makeFolder() makes what is missing, with the mode, and leaves what is there", () => {
  makeFolder(join(root, "a/b"), { mode: 0o700 });
  makeFolder(join(root, "a/b"));
  assert.equal(statSync(join(root, "a")).mode & 0o777, 0o700);
  assert.ok(statSync(join(root, "a/b")).isDirectory());
});

test("makeFolder() ends with the reason where no folder can be", () => {
  writeFileSync(join(root, "file"), "");
  symlinkSync("/nowhere/at/all", join(root, "dangling"));
  assert.throws(() => makeFolder("/proc/netloom/state"), { code: "ENOENT" });
  assert.throws(() => makeFolder(join(root, "file/below")), { code: "ENOTDIR" });
  assert.throws(() => makeFolder(join(root, "dangling")), { code: "EEXIST" });
});
