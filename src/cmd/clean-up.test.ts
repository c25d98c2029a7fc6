import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { clusterPaths } from "../model/cluster-config.ts";
import { exampleCluster } from "../model/cluster-plan/index.ts";
import { cleanUp } from "./clean-up.ts";

for (const [status, what, isKept] of [
  ["0", "was asked to end", true],
  ["1", "could not go on", true],
  ["137", "was killed", false],
] as const) {
  test(`cleanUp() ${isKept ? "keeps" : "removes"} the state of a cluster whose holder ${what}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "netloom-clean-up-"));
    try {
      const config = exampleCluster(folder, { stateDir: join(folder, "state"), runDir: join(folder, "run") });
      const { config: file } = clusterPaths(config);
      for (const path of [config.stateDir, config.runDir]) mkdirSync(path);
      writeFileSync(file, JSON.stringify(config));
      await cleanUp([file, status]);
      assert.equal(existsSync(file), isKept);
      assert.equal(existsSync(config.runDir), false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
