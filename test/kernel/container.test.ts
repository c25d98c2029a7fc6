import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  createContainerRuntime,
  prepareContainerHost,
  type ContainerRuntime,
  type ContainerSpec,
  type Image,
} from "../../src/container/index.ts";
import { systemClock } from "../../src/machinery/clock.ts";
import { mount } from "../../src/machinery/libc/index.ts";
import { silentLogger } from "../../src/machinery/log.ts";
import { clusterPaths } from "../../src/model/cluster-config.ts";
import { containerRuntimeContract, type RuntimeUnderTest } from "../contract/container-runtime.ts";
import { inNamespaces } from "./in-namespaces.ts";

const node = { name: "node-1" };

interface Lab extends RuntimeUnderTest {
  readonly config: {
    readonly stateDir: string;
    readonly runDir: string;
    readonly toolsDir: string;
    readonly images: readonly string[];
  };
}

function makeLab(): Lab {
  const folder = mkdtempSync(join(tmpdir(), "netloom-container-"));
  const config = {
    stateDir: join(folder, "state"),
    runDir: join(folder, "run"),
    toolsDir: "/nonexistent",
    images: ["catalog"],
  };
  const paths = clusterPaths(config);
  mkdirSync(paths.private, { recursive: true });
  mount({ source: "tmpfs", target: paths.private, type: "tmpfs" });
  const netns = join(paths.private, "pod");
  execFileSync("sh", ["-c", `touch ${netns} && unshare --net=${netns} ip link set lo up`]);
  const create = (): ContainerRuntime =>
    createContainerRuntime({ config, node, clock: systemClock, log: silentLogger });
  let current = create();
  return {
    config,
    runtime: current,
    restart() {
      current.close();
      current = create();
      return current;
    },
    spec: (image, argv, changes = {}) =>
      podSpec(image, argv, { networkNamespacePath: netns, logPath: logIn(folder), ...changes }),
    async close() {
      for (const { id } of await current.list()) {
        await current.stop(id, { graceMs: 0 });
        await current.remove(id);
      }
      current.close();
      assert.deepEqual(leftovers(paths.nodeRun(node.name)), []);
      execFileSync("umount", [netns]);
      // conmon ends a moment after it has told the exit.
      execFileSync("umount", ["--lazy", paths.private]);
      rmSync(folder, { recursive: true });
    },
  };
}

function logIn(folder: string): string {
  return join(folder, "logs", randomBytes(8).toString("hex"), "0.log");
}

/** Mounts, files and crun states that should have gone with their containers. */
function leftovers(runDir: string): readonly string[] {
  const mounts = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .filter((line) => line.includes(runDir));
  return [...mounts, ...["containers", "exits", "crun", "pods"].flatMap((name) => readdirSync(join(runDir, name)))];
}

function podSpec(image: Image, argv: readonly string[], changes: Partial<ContainerSpec>): ContainerSpec {
  return {
    id: randomBytes(32).toString("hex"),
    pod: { namespace: "default", name: "pod", uid: "6a2f" },
    name: "main",
    attempt: 0,
    image,
    argv,
    env: [],
    workingDir: "",
    user: undefined,
    hasTerminal: false,
    hasStdin: false,
    stdinOnce: false,
    mounts: [],
    networkNamespacePath: "",
    hostname: "pod",
    isPrivileged: false,
    isRootReadOnly: false,
    addedCapabilities: [],
    droppedCapabilities: [],
    logPath: "",
    ...changes,
  };
}

inNamespaces(
  import.meta.url,
  (mode) => {
    prepareContainerHost();
    containerRuntimeContract(`crun runtime (${mode})`, () => Promise.resolve(makeLab()));
    void test;
  },
  { hasOwnProcesses: true },
);
