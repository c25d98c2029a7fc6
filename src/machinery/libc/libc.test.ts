import assert from "node:assert/strict";
import { test } from "node:test";
import { readFileSync } from "node:fs";
import { errnoName, mountFlags, mountFlagsOf, SystemCallError, unmount } from "./index.ts";

test("errnoName() uses the names of Node's own errors where a number has two", () => {
  assert.deepEqual([11, 95, 1, 4242].map(errnoName), ["EAGAIN", "ENOTSUP", "EPERM", "errno 4242"]);
});

test("a failed call throws with the errno's name", () => {
  assert.throws(
    () => unmount("/proc/self/no-such-mount"),
    (error) => error instanceof SystemCallError && ["ENOENT", "EPERM"].includes(error.code),
  );
});

test("mountFlagsOf() tells what mountinfo tells of the mount", () => {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const options =
    lines
      .findLast((line) => line.split(" ")[4] === "/proc")
      ?.split(" ")[5]
      ?.split(",") ?? [];
  const words = {
    ro: mountFlags.readOnly,
    nosuid: mountFlags.noSuid,
    nodev: mountFlags.noDev,
    noexec: mountFlags.noExec,
    noatime: mountFlags.noAtime,
    nodiratime: mountFlags.noDirAtime,
    relatime: mountFlags.relAtime,
  };
  const told = Object.entries(words).filter(([, flag]) => (mountFlagsOf("/proc") & flag) !== 0);
  assert.deepEqual(
    told.map(([word]) => word),
    Object.keys(words).filter((word) => options.includes(word)),
  );
});

test("mountFlagsOf() throws for a path that is not there", () => {
  assert.throws(
    () => mountFlagsOf("/no/such/path"),
    (error) => error instanceof SystemCallError && error.code === "ENOENT",
  );
});
