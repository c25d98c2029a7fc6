/** An agent may be killed at any instant, here before steps of composing a node's root. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { composeNodeRoot } from "../../src/container/index.ts";
import { mount } from "../../src/machinery/libc/index.ts";
import { clusterPaths } from "../../src/model/cluster-config.ts";
import { exampleCluster } from "../../src/model/cluster-plan/index.ts";
import { inNamespaces, isSecondMode } from "./in-namespaces.ts";
import { patience } from "../patience.ts";

const victim = join(import.meta.dirname, "kill-points/node-root-victim.ts");
const isLong = process.env["NETLOOM_LONG_TESTS"] === "1";
const skip = isSecondMode && !isLong && "tried as root";
/** Each step is a cluster's mounts and two processes: all of them for whoever asks. */
const stride = isLong ? 1 : 6;

inNamespaces(
  import.meta.url,
  (mode) => {
    const mountsIn = (folder: string): readonly string[] =>
      readFileSync("/proc/self/mounts", "utf8")
        .split("\n")
        .map((line) => line.split(" ")[1] ?? "")
        .filter((target) => target.startsWith(folder));

    /** Kills at the step and composes what is left; returns what is mounted, or undefined where there was no such step. */
    function killAndCompose(
      at: number,
      first?: string,
    ): { readonly mounts: readonly string[]; readonly isDone: boolean } {
      const folder = mkdtempSync(join(tmpdir(), "netloom-crash-"));
      const config = exampleCluster(folder, {
        stateDir: join(folder, "state"),
        runDir: join(folder, "run"),
        toolsDir: join(folder, "tools"),
      });
      const paths = clusterPaths(config);
      const name = "node-1";
      mkdirSync(paths.private, { recursive: true });
      mount({ source: "tmpfs", target: paths.private, type: "tmpfs" });
      const kept = join(paths.nodeState(name), "var/lib/kept");
      mkdirSync(join(paths.nodeState(name), "var/lib"), { recursive: true });
      writeFileSync(kept, "mine");
      try {
        const { status, signal } = spawnSync(process.execPath, [victim], {
          input: JSON.stringify({ at, first, name, config }),
          encoding: "utf8",
          stdio: ["pipe", "pipe", "inherit"],
        });
        assert.ok(status === 0 || signal === "SIGKILL", `step ${at}: exit code ${status}`);
        const root = composeNodeRoot({ config, node: { name } });
        const command =
          "cat /etc/hostname /var/lib/kept; ls -d /root /home /srv; : >/dev/null; : >/tmp/x; curl --version";
        const { stdout, stderr } = spawnSync("chroot", [root, "/bin/sh", "-c", command], { encoding: "utf8" });
        assert.match(stdout, /^node-1\nmine\/home\n\/root\n\/srv\ncurl /, `killed before step ${at}: ${stderr}`);
        assert.ok(existsSync(kept));
        return { mounts: mountsIn(folder).map((target) => target.slice(folder.length)), isDone: status === 0 };
      } finally {
        for (const target of mountsIn(folder).toReversed()) spawnSync("umount", ["-l", target]);
        rmSync(folder, { recursive: true });
      }
    }

    describe(`an agent killed before any step of composing a node's root (${mode})`, { skip }, () => {
      test("the next one composes it, and nothing is mounted twice", { timeout: 240_000 * patience }, () => {
        const { mounts } = killAndCompose(Number.MAX_SAFE_INTEGER, "node-2");
        for (let at = 1; ; at += stride) {
          const result = killAndCompose(at, "node-2");
          assert.deepEqual(result.mounts.toSorted(), mounts.toSorted(), `killed before step ${at}`);
          if (result.isDone) break;
        }
      });

      test("the next one makes what all nodes share", { timeout: 240_000 * patience }, () => {
        const { mounts } = killAndCompose(Number.MAX_SAFE_INTEGER);
        for (let at = 4; at < 120; at += 5 * stride) {
          assert.deepEqual(killAndCompose(at).mounts.toSorted(), mounts.toSorted(), `killed before step ${at}`);
        }
      });
    });
  },
  { hasOwnProcesses: true },
);
