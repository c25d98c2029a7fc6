import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { markUnfinished, mergeContext, readEnd, recordTraces } from "../components/lab-host/index.ts";
import { type ClusterConfig, clusterPaths } from "../model/cluster-config.ts";
import { exampleCluster } from "../model/cluster-plan/index.ts";
import { cleanUp } from "./clean-up.ts";

function inFolders(work: (config: ClusterConfig) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "netloom-clean-up-"));
  const config = exampleCluster(folder, { stateDir: join(folder, "state"), runDir: join(folder, "run") });
  for (const path of [config.stateDir, config.runDir]) mkdirSync(path);
  writeFileSync(clusterPaths(config).config, JSON.stringify(config));
  return work(config).finally(() => rmSync(folder, { recursive: true }));
}

for (const [status, what, end] of [
  ["0", "was asked to end", { how: "stopped" }],
  ["70", "could not go on", { how: "failed" }],
  ["1", "went with its init", { how: "killed" }],
  ["137", "was killed", { how: "killed", signal: "SIGKILL" }],
  ["143", "was ended by a signal", { how: "killed", signal: "SIGTERM" }],
] as const) {
  test(`cleanUp() keeps the state of a cluster whose holder ${what}, and says so`, async () => {
    await inFolders(async (config) => {
      const { config: file } = clusterPaths(config);
      await cleanUp([file, status]);
      assert.equal(existsSync(file), true);
      assert.equal(existsSync(config.runDir), false);
      const { at = "", ...how } = readEnd(config.stateDir) ?? {};
      assert.deepEqual(how, end);
      assert.ok(!Number.isNaN(Date.parse(at)));
    });
  });

  test(`cleanUp() removes all of a cluster that was never whole, whose holder ${what}`, async () => {
    await inFolders(async (config) => {
      markUnfinished(config.stateDir);
      await cleanUp([clusterPaths(config).config, status]);
      assert.equal(existsSync(config.stateDir), false);
      assert.equal(existsSync(config.runDir), false);
    });
  });
}

test("cleanUp() takes a killed cluster's context out of the kubeconfig, and leaves that of a stopped one", async () => {
  await inFolders(async (config) => {
    const path = join(config.stateDir, "../kubeconfig");
    const pem = { certificateAuthority: "", clientCertificate: "", clientKey: "" };
    mergeContext(path, config.name, { server: "https://127.0.0.1:6443", ...pem });
    recordTraces(config.stateDir, { kubeconfig: path, context: config.name });
    const { config: file } = clusterPaths(config);
    await cleanUp([file, "0"]);
    assert.equal(existsSync(path), true);
    await cleanUp([file, "137"]);
    assert.equal(existsSync(path), false);
  });
});

test("cleanUp() leaves a cluster alone that another supervisor runs by now", async () => {
  await inFolders(async (config) => {
    const other = { pid: process.ppid, startTicks: startTicksOf(process.ppid) };
    writeFileSync(join(config.runDir, "supervisor.json"), JSON.stringify(other));
    await cleanUp([clusterPaths(config).config, "137"]);
    assert.equal(existsSync(config.runDir), true);
    assert.equal(readEnd(config.stateDir), undefined);
  });
});

/** The 22nd field of proc_pid_stat(5), counted from the end of the name. */
function startTicksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
}
