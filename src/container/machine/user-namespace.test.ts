import assert from "node:assert/strict";
import { test } from "node:test";
import { parseUserMap } from "./user-namespace.ts";

test("parseUserMap() tells root's machine from a user namespace", () => {
  const machine = parseUserMap("         0          0 4294967295\n");
  assert.deepEqual([machine.isRootless, machine.has(0), machine.has(65_534)], [false, true, true]);
  assert.equal(machine.last, 4_294_967_294);
  const single = parseUserMap("         0      65534          1\n");
  assert.deepEqual([single.isRootless, single.has(0), single.has(1)], [true, true, false]);
  assert.equal(single.last, 0);
  const ranges = parseUserMap("0 1000 1\n1 100000 65536\n");
  assert.deepEqual([ranges.isRootless, ranges.has(101), ranges.has(65_537)], [true, true, false]);
  assert.equal(ranges.last, 65_536);
});
