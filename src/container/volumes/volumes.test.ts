import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { makeHostFolder, makeSubPath, removeVolumes } from "./index.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "netloom-volumes-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("makeSubPath() makes what is missing, as open as the volume, and keeps what is there", () => {
  const volume = join(folder, "volume");
  mkdirSync(volume);
  chmodSync(volume, 0o777);
  const made = makeSubPath(volume, "a/b");
  assert.equal(made, join(volume, "a/b"));
  for (const path of ["a", "a/b"]) assert.equal(statSync(join(volume, path)).mode & 0o777, 0o777, path);
  writeFileSync(join(volume, "file"), "text");
  assert.equal(makeSubPath(volume, "file"), join(volume, "file"));
  assert.ok(statSync(join(volume, "file")).isFile());
});

test("makeSubPath() follows links within the volume only", () => {
  const volume = join(folder, "volume");
  mkdirSync(join(volume, "data"), { recursive: true });
  symlinkSync("data", join(volume, "inside"));
  symlinkSync("/", join(volume, "root"));
  symlinkSync("../..", join(volume, "up"));
  assert.equal(makeSubPath(volume, "inside/x"), join(volume, "data/x"));
  assert.equal(makeSubPath(volume, "root/etc"), join(volume, "etc"));
  assert.equal(makeSubPath(volume, "up/secret"), join(volume, "secret"));
});

test("makeHostFolder() makes a folder for everybody, and never leaves the node's root", () => {
  const root = join(folder, "node");
  mkdirSync(join(root, "claims"), { recursive: true });
  symlinkSync("/", join(root, "claims/link"));
  const made = makeHostFolder(root, "/claims/new");
  assert.equal(made, join(root, "claims/new"));
  assert.equal(statSync(made).mode & 0o777, 0o777);
  for (const path of ["/..", "/claims/link", "/claims/link/../.."])
    assert.equal(makeHostFolder(root, path), root, path);
});

test("removeVolumes() removes volumes of all kinds, and is content without any", () => {
  const volumes = join(folder, "volumes");
  mkdirSync(join(volumes, "kubernetes.io~empty-dir", "cache"), { recursive: true });
  writeFileSync(join(volumes, "kubernetes.io~empty-dir", "cache", "file"), "text");
  removeVolumes(volumes);
  assert.equal(statSync(volumes, { throwIfNoEntry: false }), undefined);
  removeVolumes(volumes);
});
