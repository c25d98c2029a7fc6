/** An agent may be killed at any instant: before each single step of starting and of removing a container. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  createContainerRuntime,
  prepareContainerHost,
  type ContainerRuntime,
  type ContainerSpec,
} from "../../src/container/index.ts";
import { systemClock } from "../../src/machinery/clock.ts";
import { mount } from "../../src/machinery/libc/index.ts";
import { silentLogger } from "../../src/machinery/log.ts";
import { clusterPaths } from "../../src/model/cluster-config.ts";
import { exampleSpec } from "../contract/container-runtime.ts";
import { inNamespaces, isSecondMode } from "./in-namespaces.ts";
import { patience } from "../patience.ts";

const victim = join(import.meta.dirname, "kill-points/container-victim.ts");
const node = { name: "node-1" };

/** Several dozens of processes are killed: in the second mode for whoever asks. */
const skip = isSecondMode && process.env["NETLOOM_LONG_TESTS"] !== "1" && "tried as root";

inNamespaces(
  import.meta.url,
  (mode) => {
    const folder = mkdtempSync(join(tmpdir(), "netloom-crash-"));
    const config = {
      stateDir: join(folder, "state"),
      runDir: join(folder, "run"),
      toolsDir: "/nonexistent",
      images: ["catalog"],
    };
    const paths = clusterPaths(config);
    const netns = join(paths.private, "pod");
    let count = 0;

    before(() => {
      prepareContainerHost();
      mkdirSync(paths.private, { recursive: true });
      mount({ source: "tmpfs", target: paths.private, type: "tmpfs" });
      execFileSync("sh", ["-c", `touch ${netns} && unshare --net=${netns} ip link set lo up`]);
    });
    after(() => {
      execFileSync("umount", [netns]);
      execFileSync("umount", ["--lazy", paths.private]);
      rmSync(folder, { recursive: true });
    });

    async function withRuntime<T>(work: (runtime: ContainerRuntime) => Promise<T>): Promise<T> {
      const runtime = createContainerRuntime({ config, node, clock: systemClock, log: silentLogger });
      try {
        return await work(runtime);
      } finally {
        runtime.close();
      }
    }

    /** Always of the same pod. */
    async function newSpec(): Promise<ContainerSpec> {
      const image = await withRuntime((runtime) =>
        runtime.images.pull("busybox", { onlyIfPresent: true, never: false }),
      );
      count += 1;
      return exampleSpec(image, ["sleep", "1000"], {
        id: `${count}`.padStart(64, "0"),
        attempt: count,
        networkNamespacePath: netns,
        logPath: join(folder, "logs", `${count}.log`),
      });
    }

    const removeAll = (): Promise<void> =>
      withRuntime(async (runtime) => {
        for (const { id } of await runtime.list()) {
          await runtime.stop(id, { graceMs: 0 });
          await runtime.remove(id);
        }
      });

    /** Runs in the pod of the victim, with what is left of its namespaces. */
    const startAnother = async (): Promise<void> => {
      const spec = await newSpec();
      await withRuntime(async (runtime) => {
        await runtime.start(spec);
        const { output } = await runtime.execSync(spec.id, { command: ["hostname"], timeoutMs: 10_000 * patience });
        assert.equal(output, `${spec.hostname}\n`);
      });
    };

    function leftovers(): readonly string[] {
      const runDir = paths.nodeRun(node.name);
      const mounts = readFileSync("/proc/self/mounts", "utf8")
        .split("\n")
        .filter((line) => line.includes(runDir));
      const files = ["containers", "exits", "crun", "pods"].flatMap((name) => readdirSync(join(runDir, name)));
      return [...mounts, ...files, ...processes()];
    }

    async function untilNothingIsLeft(when: string): Promise<void> {
      const deadline = performance.now() + 5000 * patience;
      // A killed process is seen for a moment, and conmon ends after it has told the exit.
      while (leftovers().length > 0 && performance.now() < deadline) await systemClock.sleep(20);
      assert.deepEqual(leftovers(), [], when);
    }

    function kill(order: Record<string, unknown>): ReturnType<typeof spawnSync> {
      return spawnSync(process.execPath, [victim], {
        input: JSON.stringify({ ...order, config, node }),
        encoding: "utf8",
        stdio: ["pipe", "pipe", "inherit"],
      });
    }

    describe(`an agent killed before any step of (${mode})`, { skip }, () => {
      for (const action of ["start", "remove"] as const) {
        test(`${action}: the pod goes on, and goes without a trace`, { timeout: 240_000 * patience }, async () => {
          for (let at = 1; ; at += 1) {
            const spec = await newSpec();
            if (action === "remove") await withRuntime((runtime) => runtime.start(spec));
            const { status, signal } = kill({ action, at, spec });
            // Every other time the pod has gone with its agent.
            if (at % 2 === 0) await startAnother();
            await removeAll();
            await untilNothingIsLeft(`killed before step ${at}`);
            if (status === 0) {
              assert.ok(at > 5, `${at} steps`);
              break;
            }
            assert.equal(signal, "SIGKILL", `step ${at}: exit code ${status}`);
          }
        });
      }

      test(
        "start, while crun makes the container: the pod goes without a trace",
        { timeout: 120_000 * patience },
        async () => {
          for (const afterSpawnMs of [0, 1, 2, 3, 5, 8, 12, 16, 24, 40]) {
            const spec = await newSpec();
            const { signal } = kill({ action: "start", afterSpawnMs, spec });
            assert.equal(signal, "SIGKILL");
            await removeAll();
            await untilNothingIsLeft(`killed ${afterSpawnMs} ms after conmon was started`);
          }
        },
      );
    });
  },
  { hasOwnProcesses: true },
);

function processes(): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
        return /conmon|crun|sleep 1000/.test(command.split(" ")[0] ?? "") || command === "sleep 1000" ? [command] : [];
      } catch {
        return [];
      }
    });
}
