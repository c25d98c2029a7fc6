import assert from "node:assert/strict";
import { test } from "node:test";
import { errnoName, SystemCallError, unmount } from "./index.ts";

test("errnoName() uses the names of Node's own errors where a number has two", () => {
  assert.deepEqual([11, 95, 1, 4242].map(errnoName), ["EAGAIN", "ENOTSUP", "EPERM", "errno 4242"]);
});

test("a failed call throws with the errno's name", () => {
  assert.throws(
    () => unmount("/proc/self/no-such-mount"),
    (error) => error instanceof SystemCallError && ["ENOENT", "EPERM"].includes(error.code),
  );
});
