import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { recordTraces, removeTraces } from "./removal.ts";

test("removeTraces() removes the folders also where the kubeconfig cannot be edited, and says what is left", () => {
  const root = mkdtempSync(join(tmpdir(), "nl-removal-"));
  try {
    const [stateDir, runDir, kubeconfig] = ["state", "run", "config"].map((name) => join(root, name));
    assert.ok(stateDir !== undefined && runDir !== undefined && kubeconfig !== undefined);
    mkdirSync(stateDir);
    mkdirSync(runDir);
    writeFileSync(kubeconfig, ": : [");
    recordTraces(stateDir, { kubeconfig, context: "lab" });
    assert.throws(
      () => removeTraces({ stateDir, runDir }),
      /its context may be left in .*kubectl config delete-context lab"$/s,
    );
    assert.ok(!existsSync(stateDir) && !existsSync(runDir));
  } finally {
    rmSync(root, { recursive: true });
  }
});
