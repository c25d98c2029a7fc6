import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
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

/** Runs `work` with a lab and a container of busybox in it. */
function withContainer(
  name: string,
  options: { readonly argv: readonly string[]; readonly changes?: Partial<ContainerSpec> },
  work: (lab: Lab, spec: ContainerSpec) => Promise<void>,
): void {
  test(name, { timeout: 20_000 }, async () => {
    const lab = makeLab();
    try {
      const busybox = await lab.runtime.images.pull("busybox", { onlyIfPresent: true, never: false });
      const spec = lab.spec(busybox, options.argv, options.changes);
      await lab.runtime.start(spec);
      await work(lab, spec);
    } finally {
      await lab.close();
    }
  });
}

/** Reads until `pattern` has come; fails with what came when the stream ends before. */
async function until(stream: Readable, pattern: RegExp): Promise<string> {
  let text = "";
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (pattern.test(text)) return text;
  }
  return assert.fail(`the stream ended without ${pattern}: ${JSON.stringify(text)}`);
}

function terminalTests(mode: string): void {
  const sleeper = { argv: ["sleep", "1000"] };

  withContainer(
    `exec() with a terminal has its size, echoes and ends (${mode})`,
    sleeper,
    async ({ runtime }, { id }) => {
      const session = await runtime.exec(id, { command: ["sh"], hasTerminal: true, hasStdin: true });
      assert.equal(session.stderr, undefined);
      session.resize({ columns: 123, rows: 45 });
      session.stdin?.write("tty; stty size; exit 6\n");
      const text = await until(session.stdout, /45 123\r\n/);
      assert.match(text, /\/dev\/pts\/0\r\n/);
      session.stdout.resume();
      assert.equal(await session.exit, 6);
    },
  );

  withContainer(`exec() with a terminal takes Ctrl-C and close() (${mode})`, sleeper, async ({ runtime }, { id }) => {
    const session = await runtime.exec(id, { command: ["sleep", "1000"], hasTerminal: true, hasStdin: true });
    session.stdin?.write("\x03");
    session.stdout.resume();
    assert.equal(await session.exit, 130);
    const other = await runtime.exec(id, { command: ["sleep", "1000"], hasTerminal: true, hasStdin: true });
    other.close();
    assert.equal(await other.exit, 137);
  });

  withContainer(
    `attach() to a container with a terminal resizes it and can come again (${mode})`,
    { argv: ["sh"], changes: { hasTerminal: true, hasStdin: true } },
    async ({ runtime }, { id }) => {
      const first = await runtime.attach(id);
      assert.equal(first.stderr, undefined);
      first.resize({ columns: 99, rows: 33 });
      first.stdin?.write("until stty size | grep '33 99'; do :; done; echo one=$((0+1))\n");
      await until(first.stdout, /one=1/);
      first.close();
      assert.equal(await first.exit, 0);
      const second = await runtime.attach(id);
      second.stdin?.write("echo two=$((1+1))\n");
      await until(second.stdout, /two=2/);
      second.stdin?.write("exit 3\n");
      second.stdout.resume();
      assert.equal(await second.exit, 0);
      const end = await runtime.stop(id, { graceMs: 5000 });
      assert.equal(end.state.type === "exited" && end.state.exitCode, 3);
    },
  );

  withContainer(
    `attach() carries megabytes both ways (${mode})`,
    { argv: ["cat"], changes: { hasStdin: true, stdinOnce: true } },
    async ({ runtime }, { id }) => {
      const session = await runtime.attach(id);
      const sent = randomBytes(3 << 20);
      session.stdin?.end(sent);
      const chunks: Buffer[] = [];
      for await (const chunk of session.stdout) chunks.push(chunk as Buffer);
      assert.ok(Buffer.concat(chunks).equals(sent));
    },
  );

  withContainer(`exec() carries megabytes both ways (${mode})`, sleeper, async ({ runtime }, { id }) => {
    const session = await runtime.exec(id, { command: ["cat"], hasTerminal: false, hasStdin: true });
    const sent = randomBytes(3 << 20);
    session.stdin?.end(sent);
    const chunks: Buffer[] = [];
    for await (const chunk of session.stdout) chunks.push(chunk as Buffer);
    assert.ok(Buffer.concat(chunks).equals(sent));
    assert.equal(await session.exit, 0);
  });
}

function rootTests(mode: string): void {
  const run = async (lab: Lab, id: string, script: string): Promise<string> =>
    (await lab.runtime.execSync(id, { command: ["sh", "-c", script], timeoutMs: 5000 })).output;

  withContainer(
    `start() shares the pod's host name and gives each container its own processes (${mode})`,
    { argv: ["sleep", "1000"] },
    async (lab, spec) => {
      const second = lab.spec(spec.image, ["sleep", "1000"], { name: "second" });
      await lab.runtime.start(second);
      assert.equal(await run(lab, spec.id, "hostname; cat /proc/1/comm; id -u"), "pod\nsleep\n0\n");
      const namespaces = "for name in net ipc uts; do readlink /proc/self/ns/$name; done";
      const shared = await run(lab, spec.id, namespaces);
      assert.match(shared, /^net:.*\nipc:.*\nuts:.*\n$/);
      assert.equal(await run(lab, second.id, namespaces), shared);
      const own = "readlink /proc/1/ns/pid; readlink /proc/1/ns/mnt";
      assert.notEqual(await run(lab, spec.id, own), await run(lab, second.id, own));
    },
  );

  withContainer(
    `start() hides the machine and keeps kernel settings read-only (${mode})`,
    { argv: ["sleep", "1000"] },
    async (lab, { id }) => {
      const script =
        "ls /usr/bin | wc -l; ls /sys/fs/cgroup | wc -l; echo 1 2>&1 >/proc/sys/kernel/domainname; cat /proc/sys/net/ipv4/ip_unprivileged_port_start";
      assert.match(await run(lab, id, script), /^0\n0\n.*Read-only file system\n0\n$/s);
      assert.equal(
        await run(lab, id, "ls /dev | tr '\\n' ' '"),
        "core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero ",
      );
    },
  );

  const mounted = mkdtempSync(join(tmpdir(), "netloom-mounts-"));
  writeFileSync(join(mounted, "hosts"), "10.0.0.1 web\n");
  withContainer(
    `start() mounts files and folders, read-only where asked (${mode})`,
    {
      argv: ["sleep", "1000"],
      changes: {
        mounts: [
          { source: join(mounted, "hosts"), target: "/etc/hosts", isReadOnly: false },
          { source: mounted, target: "/data/deep/volume", isReadOnly: true },
        ],
      },
    },
    async (lab, { id }) => {
      assert.equal(await run(lab, id, "cat /etc/hosts /data/deep/volume/hosts"), "10.0.0.1 web\n10.0.0.1 web\n");
      assert.match(await run(lab, id, "touch /data/deep/volume/x 2>&1"), /Read-only file system/);
      assert.equal(await run(lab, id, "echo changed >/etc/hosts; echo private >/etc/new; cat /etc/new"), "private\n");
      assert.equal(readFileSync(join(mounted, "hosts"), "utf8"), "changed\n");
      rmSync(mounted, { recursive: true });
    },
  );

  test(`start() runs as the given user, or says why it cannot (${mode})`, { timeout: 20_000 }, async () => {
    const lab = makeLab();
    try {
      const busybox = await lab.runtime.images.pull("busybox", { onlyIfPresent: true, never: false });
      const user = { uid: 65534, gid: undefined, supplementalGroups: [7] };
      const spec = lab.spec(busybox, ["sleep", "1000"], { user });
      const starting = lab.runtime.start(spec);
      if (mode === "rootless") {
        await assert.rejects(starting, /Cannot run as user 65534: this cluster runs without root/);
        return;
      }
      await starting;
      const { output } = await lab.runtime.execSync(spec.id, {
        command: ["sh", "-c", "id -u; id -g; id -G; echo $HOME; grep CapEff /proc/self/status"],
        timeoutMs: 5000,
      });
      assert.equal(output, "65534\n65534\n65534 7\n/home\nCapEff:\t0000000000000000\n");
    } finally {
      await lab.close();
    }
  });
}

inNamespaces(
  import.meta.url,
  (mode) => {
    prepareContainerHost();
    containerRuntimeContract(`crun runtime (${mode})`, () => Promise.resolve(makeLab()));
    terminalTests(mode);
    rootTests(mode);
  },
  { hasOwnProcesses: true },
);
