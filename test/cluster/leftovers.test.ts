/** Whatever ends a cluster, nothing of it is left on the machine. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { eventually, isRoot, type Lab, labProcesses, machineState, makeLab, must } from "./lab/index.ts";
import { root } from "./lab/lab.ts";

let lab: Lab;
let before: ReturnType<typeof machineState>;

beforeEach(() => {
  lab = makeLab();
  writeFileSync(lab.env["KUBECONFIG"] ?? "", ownKubeconfig);
  before = machineState(lab.folder);
});
afterEach(async () => {
  // Of the test with two; harmless in the others, and needed where that one fails half-way.
  await lab.netloom(["down", "--name", "other"]);
  await lab.end();
});

const ownKubeconfig = `apiVersion: v1
kind: Config
# mine
clusters: []
users: []
contexts:
  - name: mine
    context:
      cluster: mine
      user: mine
current-context: mine
`;

async function assertNothingLeft(): Promise<void> {
  await eventually(() => {
    const { files, ...rest } = machineState(lab.folder);
    const { files: filesBefore, ...restBefore } = before;
    assert.deepEqual(rest, restBefore);
    // Folders of the user's stay (s, s/netloom), and kubectl's own cache; what else was there is gone.
    assert.deepEqual(
      files.filter((file) => !["r", "r/netloom", "s", "s/netloom"].includes(file) && !file.startsWith(".kube")),
      filesBefore,
    );
  });
  assert.equal(readFileSync(lab.env["KUBECONFIG"] ?? "", "utf8"), ownKubeconfig);
}

async function upWithPods(): Promise<void> {
  const up = await lab.netloom(["up"]);
  assert.equal(up.code, 0, up.stderr);
  const run = await lab.kubectl(["run", "sleeper", "--image=busybox", "--command", "--", "sleep", "1000"]);
  assert.equal(run.code, 0, run.stderr);
  const wait = await lab.kubectl(["wait", "--for=condition=Ready", "pod/sleeper", "--timeout=20s"]);
  assert.equal(wait.code, 0, wait.stderr);
}

/** The cluster's processes as the host sees them, by the words of their command lines. */
function pidOf(word: string): number {
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0");
      if (words.includes(word) && words.some((one) => one.startsWith(lab.folder)) && !words.includes("unshare")) {
        const isHolder = words[0]?.endsWith("node") === true;
        if (isHolder) return Number(name);
      }
    } catch {
      // It ended while we looked.
    }
  }
  throw new Error(`there is no process "${word}" of the cluster`);
}

/** The fourth field of proc_pid_stat(5). */
function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

test("netloom down leaves nothing, and restores the kubeconfig", async () => {
  await upWithPods();
  assert.match(readFileSync(lab.env["KUBECONFIG"] ?? "", "utf8"), /current-context: netloom/);
  const down = await lab.netloom(["down"]);
  assert.equal(down.code, 0, down.stderr);
  await assertNothingLeft();
});

for (const [what, victim] of [
  ["the holder", () => pidOf("holder")],
  ["the cluster's init", () => parentOf(pidOf("holder"))],
  ["what made the namespaces", () => parentOf(parentOf(pidOf("holder")))],
] as const) {
  test(`kill -9 of ${what} leaves the state and nothing else, and start brings back every object`, async () => {
    await upWithPods();
    const written = await lab.kubectl(["create", "configmap", "kept", "--from-literal=a=b"]);
    assert.equal(written.code, 0, written.stderr);
    process.kill(victim(), "SIGKILL");
    await eventually(() => {
      const { files, ...rest } = machineState(lab.folder);
      const { files: filesBefore, ...restBefore } = before;
      assert.deepEqual(rest, restBefore);
      const isTheirs = (file: string): boolean => file.startsWith("s/") || file.startsWith(".kube");
      assert.deepEqual(
        files.filter((file) => !["r", "r/netloom", "s"].includes(file) && !isTheirs(file)),
        filesBefore,
      );
      assert.equal(readFileSync(lab.env["KUBECONFIG"] ?? "", "utf8"), ownKubeconfig);
    });
    assert.match((await lab.netloom(["list"])).stdout, /^netloom +stopped .* killed( by SIGKILL)? \d+s ago$/m);
    assert.match((await lab.netloom(["status"])).stderr, /killed( by SIGKILL)?\): start it with "netloom start"/);
    const start = await lab.netloom(["start"]);
    assert.equal(start.code, 0, start.stderr);
    assert.match((await lab.netloom(["list"])).stdout, /^netloom +running .* -$/m);
    assert.match(readFileSync(lab.env["KUBECONFIG"] ?? "", "utf8"), /current-context: netloom/);
    const kept = await lab.kubectl(["get", "configmap/kept", "-o", "jsonpath={.data.a}"]);
    assert.equal(kept.stdout, "b", kept.stderr);
    await eventually(async () => {
      const exec = await lab.kubectl(["exec", "sleeper", "--", "echo", "alive"]);
      assert.equal(exec.stdout, "alive\n", exec.stderr);
    });
    assert.equal((await lab.netloom(["down"])).code, 0);
    await assertNothingLeft();
  });
}

test(
  "kill -9 of the holder of an ordinary user's cluster leaves the state and nothing else, and start brings back every object",
  { skip: isRoot ? false : "the tests above are about one" },
  async () => {
    const theirs = makeLab({ user: "ordinary" });
    try {
      const untouched = machineState(theirs.folder);
      await must(theirs.netloom(["up", "--nodes", "2"]));
      await must(theirs.kubectl(["create", "configmap", "kept"]));
      const holder = labProcesses(theirs).find(({ words }) => words[0]?.endsWith("node") && words.includes("holder"));
      assert.ok(holder !== undefined);
      process.kill(holder.pid, "SIGKILL");
      await eventually(async () =>
        assert.match(await must(theirs.netloom(["list"])), /^netloom +stopped .* killed by SIGKILL \d+s ago$/m),
      );
      const { files, ...rest } = machineState(theirs.folder);
      const { files: _files, ...restBefore } = untouched;
      assert.deepEqual(rest, restBefore);
      assert.deepEqual(
        files.filter((file) => file.startsWith("r/netloom/") || file.startsWith("kubeconfig")),
        [],
      );
      await must(theirs.netloom(["start"]));
      await must(theirs.kubectl(["get", "configmap", "kept"]));
    } finally {
      await theirs.end();
    }
  },
);

test("a holder that is killed while up waits for it leaves nothing", async () => {
  const child = lab.start(["up"]);
  const code = once(child, "close");
  const pid = await eventually(() => pidOf("holder"));
  process.kill(pid, "SIGKILL");
  assert.deepEqual(await code, [1, null]);
  await assertNothingLeft();
});

test("a killed server and a killed agent are started again, and a running pod lives on", async () => {
  await upWithPods();
  for (const part of ["server", "agent"]) {
    const pid = pidOf(part);
    process.kill(pid, "SIGKILL");
    await eventually(() => assert.notEqual(pidOf(part), pid));
  }
  await eventually(async () => {
    const pod = await lab.kubectl([
      "get",
      "pod",
      "sleeper",
      "-o",
      "jsonpath={.status.containerStatuses[0].restartCount} {.status.phase}",
    ]);
    assert.equal(pod.stdout, "0 Running", pod.stderr);
    const exec = await lab.kubectl(["exec", "sleeper", "--", "echo", "alive"]);
    assert.equal(exec.stdout, "alive\n", exec.stderr);
  });
});

/** Milliseconds after the start at which Ctrl-C comes: before, while and after each phase of the boot. */
for (const delayMs of [20, 120, 250, 400, 550, 700]) {
  test(`Ctrl-C ${delayMs} ms into netloom up leaves nothing`, async () => {
    const child: ChildProcess = spawn(process.execPath, [join(root, "bin/netloom.mjs"), "up"], {
      env: lab.env,
      stdio: "ignore",
    });
    const timer = setTimeout(() => child.kill("SIGINT"), delayMs);
    const [code] = (await once(child, "close")) as [number | null];
    clearTimeout(timer);
    // Where the machine was quicker than Ctrl-C, the cluster is up: then `down` is what ends it.
    if (code === 0) await lab.netloom(["down"]);
    await assertNothingLeft();
  });
}

test("a second cluster beside the first has its own name, port and loopback addresses", async () => {
  await upWithPods();
  const second = await lab.netloom(["up", "--name", "other", "--nodes", "1"]);
  assert.equal(second.code, 0, second.stderr);
  const [first, other] = await Promise.all([lab.netloom(["status"]), lab.netloom(["status", "--name", "other"])]);
  const networkOf = (text: string): string => /127\.(\d+)\.0\.1$/m.exec(text)?.[1] ?? "";
  assert.notEqual(networkOf(first.stdout), networkOf(other.stdout));
  assert.equal((await lab.kubectl(["--context", "other", "get", "nodes", "-o", "name"])).stdout, "node/node-1\n");
  assert.equal((await lab.netloom(["down", "--name", "other"])).code, 0);
  assert.match(readFileSync(lab.env["KUBECONFIG"] ?? "", "utf8"), /current-context: netloom/);
  assert.equal((await lab.netloom(["down"])).code, 0);
  await assertNothingLeft();
  assert.equal(existsSync(join(lab.folder, "r/netloom/other")), false);
});
