import assert from "node:assert/strict";
import { test } from "node:test";
import { readSysctl } from "./index.ts";

test("readSysctl() refuses names outside of net/", () => {
  for (const key of ["kernel/hostname", "net/../kernel/hostname", "net.ipv4.ip_forward", "net", "net/ipv4/\n"]) {
    assert.throws(() => readSysctl(key), RangeError, key);
  }
});

test("readSysctl() says which setting there is not", () => {
  assert.throws(() => readSysctl("net/ipv4/no_such_setting"), {
    code: "ENOENT",
    message: 'Cannot read sysctl "net/ipv4/no_such_setting": ENOENT',
  });
});
