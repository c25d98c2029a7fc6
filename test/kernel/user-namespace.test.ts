/** Which users a cluster's user namespace has, and that what they leave is removed. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { removeTree } from "../../src/components/lab-host/removal.ts";
import { presentUsers, userNamespaceFlags } from "../../src/components/lab-host/user-namespace.ts";

const users = presentUsers("/nowhere");
const flags = userNamespaceFlags(users);

test("root needs no user namespace, and everybody else maps themselves to root in theirs", () => {
  if (flags.length === 0) {
    assert.equal(process.getuid?.(), 0);
    return;
  }
  const map = spawnSync("unshare", [...flags, "cat", "/proc/self/uid_map"], { encoding: "utf8" }).stdout;
  assert.match(map, new RegExp(`^ *0 +${process.getuid?.()} +1$`, "m"));
  // Written down as the kernel tells it, to be compared with when the cluster is started again.
  if (users.kind === "range") assert.equal(users.uidMap.trimEnd(), map.trimEnd());
});

const lack = flags.includes("--map-auto") ? false : "this user has no ids in /etc/subuid, or is root";
test("what further users of the namespace own is removed", { skip: lack }, () => {
  const folder = mkdtempSync(join(tmpdir(), "nl-users-"));
  mkdirSync(join(folder, "theirs"));
  writeFileSync(join(folder, "theirs/file"), "");
  const chown = spawnSync("unshare", [...flags, "chown", "-R", "33:33", join(folder, "theirs")]);
  assert.equal(chown.status, 0);
  assert.throws(() => rmSync(folder, { recursive: true }), /EACCES|EPERM/);
  removeTree(folder);
  assert.ok(!existsSync(folder));
});

test("a folder that its owner may not enter is removed", () => {
  const folder = mkdtempSync(join(tmpdir(), "nl-users-"));
  mkdirSync(join(folder, "work"), { mode: 0o000 });
  removeTree(folder);
  assert.ok(!existsSync(folder));
});
