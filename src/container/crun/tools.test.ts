import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { crunVersion } from "./tools.ts";

test("crunVersion() tells crun its state folder: newer ones fail where they cannot make their default", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "netloom-crun-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "crun");
  writeFileSync(
    path,
    `#!/bin/sh\ncase "$*" in\n*--root=${folder}*) echo "crun version 1.21";;\n*) echo "Failed to get state directory" >&2; exit 1;;\nesac\n`,
  );
  chmodSync(path, 0o755);
  assert.equal(
    await crunVersion({ crun: { path, env: {} }, conmon: { path, env: {} }, stateDir: folder }),
    "crun://1.21",
  );
});
