import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { after, test } from "node:test";
import { pack } from "tar-stream";
import {
  ContainerError,
  createContainerRuntime,
  createImageStore,
  prepareContainerHost,
  type ContainerRuntime,
  type ContainerSpec,
  type ContainerStatus,
  type Image,
} from "../../src/container/index.ts";
import { systemClock } from "../../src/machinery/clock.ts";
import { mount } from "../../src/machinery/libc/index.ts";
import { findTool } from "../../src/machinery/tools.ts";
import { silentLogger } from "../../src/machinery/log.ts";
import { clusterPaths } from "../../src/model/cluster-config.ts";
import { containerRuntimeContract, exampleSpec, type RuntimeUnderTest } from "../contract/container-runtime.ts";
import { inNamespaces } from "./in-namespaces.ts";
import { patience } from "../patience.ts";

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
      exampleSpec(image, argv, { networkNamespacePath: netns, logPath: logIn(folder), ...changes }),
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

/** Runs `work` with a lab and a container of busybox in it. */
function withContainer(
  name: string,
  options: { readonly argv: readonly string[]; readonly changes?: Partial<ContainerSpec> },
  work: (lab: Lab, spec: ContainerSpec) => Promise<void>,
): void {
  test(name, { timeout: 20_000 * patience }, async () => {
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
    (await lab.runtime.execSync(id, { command: ["sh", "-c", script], timeoutMs: 5000 * patience })).output;

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
  after(() => rmSync(mounted, { recursive: true }));
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
    },
  );

  for (const imageName of ["busybox", "host"]) {
    test(
      `start() makes the whole root of ${imageName} read-only where asked (${mode})`,
      { timeout: 20_000 * patience },
      async () => {
        const lab = makeLab();
        try {
          const image = await lab.runtime.images.pull(imageName, { onlyIfPresent: true, never: false });
          const spec = lab.spec(image, ["sleep", "1000"], { isRootReadOnly: true });
          await lab.runtime.start(spec);
          const output = await run(
            lab,
            spec.id,
            "for name in / /etc /usr /usr/bin /dev/shm; do touch $name/x && echo $name; done",
          );
          assert.equal(output.match(/Read-only file system/g)?.length, 4, output);
          assert.match(output, /^\/dev\/shm$/m);
        } finally {
          await lab.close();
        }
      },
    );
  }

  test(`start() runs as the given user, or says why it cannot (${mode})`, { timeout: 20_000 * patience }, async () => {
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
        timeoutMs: 5000 * patience,
      });
      assert.equal(output, "65534\n65534\n65534 7\n/home\nCapEff:\t0000000000000000\n");
    } finally {
      await lab.close();
    }
  });
}

/** Runs an image's own command and asks it from within until its answer matches. */
function imageTest(mode: string, imageName: string, options: { readonly url: string; readonly answer: RegExp }): void {
  test(`image ${imageName} serves (${mode})`, { timeout: 30_000 * patience }, async () => {
    const lab = makeLab();
    try {
      const image = await lab.runtime.images.pull(imageName, { onlyIfPresent: true, never: false });
      const spec = lab.spec(image, [...image.entrypoint, ...image.command]);
      await lab.runtime.start(spec);
      const deadline = Date.now() + 20_000 * patience;
      for (;;) {
        const command = ["curl", "-s", options.url];
        const { output } = await lab.runtime.execSync(spec.id, { command, timeoutMs: 5000 * patience });
        if (options.answer.test(output)) break;
        assert.ok(Date.now() < deadline, `${output} ${readFileSync(spec.logPath, "utf8")}`);
        await systemClock.sleep(20);
      }
      const end = await lab.runtime.stop(spec.id, { graceMs: 10_000 });
      assert.equal(end.state.type === "exited" && end.state.exitCode, 0, readFileSync(spec.logPath, "utf8"));
    } finally {
      await lab.close();
    }
  });
}

/** The kubelet renames logs that have grown too long. */
function rotationTest(mode: string): void {
  test(`a renamed log is written anew at its path, and no line is lost between the two (${mode})`, async () => {
    const lab = makeLab();
    try {
      const image = await lab.runtime.images.pull("busybox", { onlyIfPresent: true, never: false });
      const script = "i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo $i; usleep 2000; done";
      const spec = lab.spec(image, ["sh", "-c", script]);
      const ended = Promise.withResolvers<void>();
      lab.runtime.onExit(() => ended.resolve());
      await lab.runtime.start(spec);
      const read = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8") : "");
      const former = `${spec.logPath}.1`;
      const deadline = Date.now() + 10_000 * patience;
      const waitFor = async (isDone: () => boolean): Promise<void> => {
        while (!isDone()) {
          assert.ok(Date.now() < deadline, read(spec.logPath));
          await systemClock.sleep(5);
        }
      };
      await waitFor(() => read(spec.logPath).includes(" F 20\n"));
      renameSync(spec.logPath, former);
      lab.runtime.reopenLog(spec.id);
      await waitFor(() => read(spec.logPath) !== "");
      await ended.promise;
      const lines = `${read(former)}${read(spec.logPath)}`.trimEnd().split("\n");
      assert.deepEqual(
        lines.map((line) => line.split(" F ")[1]),
        Array.from({ length: 400 }, (_, index) => String(index + 1)),
      );
      lab.runtime.reopenLog(spec.id);
    } finally {
      await lab.close();
    }
  });
}

function imageTests(mode: string): void {
  rotationTest(mode);
  imageTest(mode, "nginx", { url: "http://127.0.0.1/", answer: /<title>Welcome to nginx!<\/title>/ });
  imageTest(mode, "httpd", { url: "http://127.0.0.1/", answer: /^<html><body><h1>It works!<\/h1><\/body><\/html>$/m });
  imageTest(mode, "kennethreitz/httpbin", { url: "http://127.0.0.1/", answer: /<title>httpbin.org<\/title>/ });

  test(
    `an image loaded from an archive runs with its configuration (${mode})`,
    { timeout: 20_000 * patience },
    async () => {
      const lab = makeLab();
      try {
        const store = createImageStore(lab.config);
        const [loaded] = await store.load(await busyboxArchive(lab.config.runDir));
        assert.deepEqual([loaded?.name, loaded?.source], ["docker.io/library/mine:1", "archive"]);
        const image = await lab.runtime.images.pull("mine:1", { onlyIfPresent: false, never: true });
        const spec = lab.spec(image, [...image.entrypoint, ...image.command]);
        await lab.runtime.start(spec);
        const command = ["sh", "-c", "pwd; echo $GREETING; echo x >/bin/written; cat /etc/motd"];
        const { output } = await lab.runtime.execSync(spec.id, { command, timeoutMs: 5000 * patience });
        assert.equal(output, "/srv\nhello\nof the archive\n");
        const again = lab.spec(image, ["sh", "-c", "test ! -e /bin/written"], { name: "again" });
        const ended = new Promise<ContainerStatus>((resolve) => lab.runtime.onExit(resolve));
        await lab.runtime.start(again);
        const end = await ended;
        assert.equal(end.state.type === "exited" && end.state.exitCode, 0);
      } finally {
        await lab.close();
      }
    },
  );
}

async function busyboxArchive(folder: string): Promise<string> {
  const config = {
    config: { Entrypoint: ["/bin/sleep"], Cmd: ["1000"], Env: ["PATH=/bin", "GREETING=hello"], WorkingDir: "/srv" },
  };
  const busybox = readFileSync(findTool("busybox", "").path);
  const layer = pack();
  layer.entry({ name: "bin/busybox", mode: 0o755 }, busybox);
  for (const name of ["sh", "sleep", "cat"]) layer.entry({ name: `bin/${name}`, type: "symlink", linkname: "busybox" });
  layer.entry({ name: "etc/motd" }, "of the archive\n");
  layer.finalize();
  const archive = pack();
  archive.entry({ name: "layer.tar" }, await buffer(layer));
  archive.entry({ name: "config.json" }, JSON.stringify(config));
  const manifest = [{ Config: "config.json", RepoTags: ["mine:1"], Layers: ["layer.tar"] }];
  archive.entry({ name: "manifest.json" }, JSON.stringify(manifest));
  archive.finalize();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "mine.tar"), await buffer(archive));
  return join(folder, "mine.tar");
}

function leakTests(mode: string): void {
  test(
    `the runtime leaves no descriptor, mount or process behind (${mode})`,
    { timeout: 60_000 * patience },
    async () => {
      const lab = makeLab();
      try {
        const busybox = await lab.runtime.images.pull("busybox", { onlyIfPresent: true, never: false });
        await useOnce(lab, busybox);
        const before = openFiles();
        for (let round = 0; round < 5; round++) await useOnce(lab, busybox);
        await untilEqual(openFiles, before);
        await untilEqual(() => processNames().filter((name) => /conmon|crun|sleep|cat/.test(name)), []);
      } finally {
        await lab.close();
      }
    },
  );

  withContainer(
    `list() tells the end of a container whose monitor was killed (${mode})`,
    { argv: ["sleep", "1000"] },
    async (lab, { id }) => {
      const folder = join(clusterPaths(lab.config).nodeRun(node.name), "containers", id);
      for (const file of ["conmon.pid", "pid"])
        process.kill(Number(readFileSync(join(folder, file), "utf8")), "SIGKILL");
      const states = async (): Promise<string> => (await lab.runtime.list()).map(({ state }) => state.type).join();
      const deadline = Date.now() + 5000 * patience;
      while ((await states()) !== "exited" && Date.now() < deadline) await systemClock.sleep(10);
      const end = await lab.runtime.stop(id, { graceMs: 0 });
      assert.equal(end.state.type === "exited" && end.state.exitCode, 137);
    },
  );

  test(
    `start() after a failure leaves nothing mounted once removed (${mode})`,
    { timeout: 20_000 * patience },
    async () => {
      const lab = makeLab();
      try {
        const busybox = await lab.runtime.images.pull("busybox", { onlyIfPresent: true, never: false });
        const mounts = [{ source: "/does/not/exist", target: "/x", isReadOnly: true }];
        await assert.rejects(lab.runtime.start(lab.spec(busybox, ["true"], { mounts })), /no such file or directory/);
        const netless = lab.spec(busybox, ["true"], { networkNamespacePath: "/does/not/exist" });
        await assert.rejects(lab.runtime.start(netless), (error) => error instanceof ContainerError);
      } finally {
        await lab.close();
      }
    },
  );
}

/** All that opens something: exec of both kinds, attach, a probe that times out. */
async function useOnce({ runtime, spec }: Lab, image: Image): Promise<void> {
  const given = spec(image, ["cat"], { hasStdin: true });
  await runtime.start(given);
  const { id } = given;
  const piped = await runtime.exec(id, { command: ["cat"], hasStdin: true, hasTerminal: false });
  piped.stdin?.end("x");
  piped.stdout.resume();
  piped.stderr?.resume();
  await piped.exit;
  const abandoned = await runtime.exec(id, { command: ["sleep", "1000"], hasStdin: true, hasTerminal: true });
  abandoned.close();
  await abandoned.exit;
  await assert.rejects(runtime.execSync(id, { command: ["sleep", "1000"], timeoutMs: 20 }));
  await assert.rejects(runtime.exec(id, { command: ["none"], hasStdin: true, hasTerminal: true }));
  const attached = await runtime.attach(id);
  attached.close();
  await attached.exit;
  await runtime.stop(id, { graceMs: 0 });
  await runtime.remove(id);
}

/** What the process has open, without the numbers; poll(2)'s wake-up descriptor ends a little later. */
function openFiles(): readonly string[] {
  return readdirSync("/proc/self/fd")
    .flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`).replace(/\d+/g, "")];
      } catch {
        // The descriptor of this very listing.
        return [];
      }
    })
    .toSorted();
}

function processNames(): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/comm`, "utf8").trim()];
      } catch {
        return [];
      }
    });
}

async function untilEqual(read: () => readonly string[], expected: readonly string[]): Promise<void> {
  const deadline = Date.now() + 5000 * patience;
  while (JSON.stringify(read()) !== JSON.stringify(expected) && Date.now() < deadline) await systemClock.sleep(10);
  assert.deepEqual(read(), expected);
}

inNamespaces(
  import.meta.url,
  (mode) => {
    prepareContainerHost();
    containerRuntimeContract(`crun runtime (${mode})`, () => Promise.resolve(makeLab()));
    terminalTests(mode);
    rootTests(mode);
    imageTests(mode);
    leakTests(mode);
  },
  { hasOwnProcesses: true },
);
