/**
 * `kill -9` of the command that makes or starts a cluster, before each single call by which it changes something, and at
 * random instants: afterwards there is a whole cluster, or nothing that runs, and what is left on disk is known to `list`,
 * and removed by `down` or the next `up`.
 * A part of the calls is tried; with NETLOOM_LONG_TESTS=1 each, and NETLOOM_UP_KILLS says how many instants (4).
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, machineState, makeLab, must } from "./lab/index.ts";
import { root } from "./lab/root.ts";

const isLong = process.env["NETLOOM_LONG_TESTS"] === "1";
const instants = Number(process.env["NETLOOM_UP_KILLS"] ?? "4");
/** Of the calls every so-manieth is tried, another one each time. */
const stride = isLong ? 1 : 8;

/** One of each kind is enough of keys and certificates; what a file's writing consists of counts once. */
const isTried = (name: string, index: number, names: readonly string[]): boolean =>
  !/^(openSync (?!\.)|writeSync$)/.test(name) &&
  !(/\.(key|crt|conf|pub)\.new$/.test(name) && !/ (ca\.key|kubelet-node-1\.crt)\.new$/.test(name)) &&
  names.indexOf(name) === index;

describe("a killed netloom up", () => {
  const lab = makeLab();
  let untouched: ReturnType<typeof machineState>;
  let upNames: readonly string[] = [];
  let startNames: readonly string[] = [];
  let upTookMs = 0;

  const begin = (args: readonly string[], at: number): ChildProcess =>
    spawn(
      process.execPath,
      ["--import", join(import.meta.dirname, "lab/kill-at.ts"), join(root, "bin/netloom.mjs"), ...args],
      {
        env: { ...lab.env, NETLOOM_KILL_AT: `${at}`, NETLOOM_KILL_NAMES: join(lab.folder, "names") },
        stdio: "ignore",
      },
    );
  const namesOf = async (args: readonly string[]): Promise<readonly string[]> => {
    const [code] = (await once(begin(args, Number.MAX_SAFE_INTEGER), "close")) as [number | null];
    assert.equal(code, 0);
    return readFileSync(join(lab.folder, "names"), "utf8").trim().split("\n");
  };
  /** What runs or is mounted for the cluster; the files apart. */
  const running = () => {
    const { files: _files, ...rest } = machineState(lab.folder);
    return rest;
  };
  const nothingRuns = (): void => {
    const { files: _files, ...rest } = untouched;
    assert.deepEqual(running(), rest);
  };
  const statusOf = async (): Promise<string | undefined> => {
    const listed = JSON.parse(await must(lab.netloom(["list", "-o", "json"]))) as readonly { status: string }[];
    return listed[0]?.status;
  };
  /** Waits until what the kill has set going is through; says what there is. */
  const settled = async (what: string): Promise<"whole" | "unfinished" | "stopped" | undefined> =>
    await eventually(async () => {
      const status = await statusOf();
      if (status === "running") {
        // Not one that is about to end.
        await must(lab.kubectl(["get", "nodes"]));
        assert.equal(await statusOf(), "running", what);
        await must(lab.netloom(["status"]));
        return "whole";
      }
      assert.ok(status === undefined || status === "unfinished" || status === "stopped", `${what}: ${status}`);
      nothingRuns();
      // Its sockets and its mount point have no meaning without a process.
      assert.equal(existsSync(join(lab.folder, "r/netloom/netloom/private")), false, what);
      return status;
    });
  const assertRemovable = async (what: string): Promise<void> => {
    await must(lab.netloom(["down"]));
    nothingRuns();
    const kept = machineState(lab.folder).files.filter(
      (file) => !/^(r|s|r\/netloom|s\/netloom|names|\.kube.*)$/.test(file),
    );
    assert.deepEqual(kept, [], what);
  };

  before(async () => {
    untouched = machineState(lab.folder);
    // The first one makes the bundle and the folders of all clusters: calls that the others do not make.
    await must(lab.netloom(["up", "--nodes", "1"]));
    await must(lab.netloom(["down"]));
    const started = performance.now();
    upNames = await namesOf(["up", "--nodes", "1"]);
    upTookMs = performance.now() - started;
    await must(lab.netloom(["stop"]));
    startNames = await namesOf(["start"]);
    await must(lab.netloom(["down"]));
  });
  after(async () => await lab.end());

  test("before a call that changes something leaves a whole cluster or nothing", { timeout: 900_000 }, async (t) => {
    for (const needed of ["spawn sh", "writeFileSync supervisor.json", "symlinkSync kubeconfig.lock"])
      assert.ok(upNames.includes(needed), `${needed} of ${upNames.join(", ")}`);
    const offset = randomInt(stride);
    const tried = upNames.flatMap((name, index) => (isTried(name, index, upNames) ? [{ name, at: index + 1 }] : []));
    for (const { name, at } of tried.filter((_, index) => index % stride === offset)) {
      const [, signal] = (await once(begin(["up", "--nodes", "1"], at), "close")) as [number | null, string | null];
      const what = `killed before call ${at}, ${name}`;
      assert.equal(signal, "SIGKILL", what);
      const left = await settled(what);
      // Nobody has told the holder that the cluster is whole.
      if (at < upNames.length) assert.notEqual(left, "whole", what);
      t.diagnostic(`${what}: ${left ?? "nothing"}`);
      await assertRemovable(what);
    }
  });

  test(
    `at ${instants} instants leaves a whole cluster or nothing, and the next makes one`,
    { timeout: 900_000 },
    async () => {
      for (let count = 0; count < instants; count += 1) {
        const child = begin(["up", "--nodes", "1"], Number.MAX_SAFE_INTEGER);
        const atMs = Math.round(((count + Math.random()) / instants) * upTookMs);
        await Promise.race([sleep(atMs), once(child, "close")]);
        child.kill("SIGKILL");
        const what = `killed after ${atMs} ms`;
        // At once: what is left may just be ending.
        await must(lab.netloom(["up", "--nodes", "1"]));
        assert.equal(await settled(what), "whole", what);
        await assertRemovable(what);
      }
    },
  );

  test(
    "before a call of netloom start leaves all objects, and the next start brings them",
    { timeout: 900_000 },
    async () => {
      await must(lab.netloom(["up", "--nodes", "1"]));
      await must(lab.kubectl(["create", "configmap", "kept"]));
      const tried = startNames.flatMap((name, index) =>
        isTried(name, index, startNames) ? [{ name, at: index + 1 }] : [],
      );
      const offset = randomInt(stride);
      for (const { name, at } of tried.filter((_, index) => index % stride === offset)) {
        await must(lab.netloom(["stop"]));
        await once(begin(["start"], at), "close");
        const what = `start killed before call ${at}, ${name}`;
        const left = await settled(what);
        assert.ok(left === "stopped" || (left === "whole" && at === startNames.length), `${what}: ${left}`);
        await must(lab.netloom(["start"]));
        await must(lab.kubectl(["get", "configmap", "kept"]));
      }
      await assertRemovable("in the end");
    },
  );
});
