import assert from "node:assert/strict";
import { test } from "node:test";
import { hostProcesses, memoryOf, startOf } from "./host-processes.ts";

test("startOf() tells when a process was started, nothing of one that has ended", () => {
  const wanted = Date.now() - process.uptime() * 1000;
  const found = startOf(process.pid)?.getTime() ?? 0;
  // Node counts from a moment after the kernel; a second is far more than both are apart.
  assert.ok(Math.abs(found - wanted) < 1000, `${found} instead of ${wanted}`);
  assert.equal(startOf(2 ** 30), undefined);
});

test("hostProcesses() and memoryOf() leave out what has ended", () => {
  assert.ok((memoryOf(process.pid) ?? 0) > 1024 * 1024);
  assert.equal(memoryOf(2 ** 30), undefined);
  assert.deepEqual(hostProcesses(2 ** 30), []);
  assert.equal(hostProcesses(process.pid)[0]?.pid, process.pid);
});
