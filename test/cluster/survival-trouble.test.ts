/** Trouble with the disk: told clearly, nothing spins, and packets go on. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Connection,
  echoManifest,
  eventually,
  isRoot,
  type Lab,
  labProcesses,
  makeLab,
  must,
  openConnection,
  processorUse,
} from "./lab/index.ts";

let lab: Lab;
let connection: Connection | undefined;
beforeEach(() => {
  lab = makeLab();
});
afterEach(async () => {
  connection?.close();
  connection = undefined;
  setReadOnly(false);
  await lab.netloom(["down"]);
  spawnSync("umount", ["-l", join(lab.folder, "s")], { stdio: "ignore" });
  await lab.end();
});

const needsRoot = isRoot ? false : "mounting a small disk needs root";
const measuredMs = 3000;

function mountDisk(options: string): string {
  const folder = join(lab.folder, "s");
  mkdirSync(folder, { recursive: true });
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder], { encoding: "utf8" });
  assert.equal(mounted.status, 0, mounted.stderr);
  return folder;
}

/** Also for what is open for writing already, which a remount would not be allowed for. Links cannot be marked. */
function setReadOnly(isReadOnly: boolean): void {
  spawnSync("chattr", ["-R", "-f", isReadOnly ? "+i" : "-i", join(lab.folder, "s")], { stdio: "ignore" });
}

function canSetReadOnly(): boolean {
  const file = join(lab.folder, "probe");
  writeFileSync(file, "");
  const isSet = spawnSync("chattr", ["+i", file], { stdio: "ignore" }).status === 0;
  spawnSync("chattr", ["-i", file], { stdio: "ignore" });
  rmSync(file);
  return isSet;
}

/** A cluster with a Deployment and a connection that is to live on. */
async function bootBusyCluster(): Promise<void> {
  await must(lab.netloom(["up", "--nodes", "2"]));
  await must(lab.kubectl(["create", "deployment", "web", "--image=nginx", "--replicas=2"]));
  await must(lab.kubectl(["expose", "deployment", "web", "--port=80"]));
  await must(lab.kubectl(["apply", "-f", "-"], { input: echoManifest }));
  await must(lab.kubectl(["rollout", "status", "deployment/web", "--timeout=30s"]));
  await must(lab.kubectl(["wait", "--for=condition=Ready", "pod/echo", "--timeout=30s"]));
  const address = await addressOf("echo");
  connection = await eventually(async () => await openConnection(lab, address));
}

async function addressOf(service: string): Promise<string> {
  return await must(lab.kubectl(["get", "service", service, "-o", "jsonpath={.spec.clusterIP}"]));
}

/** New connections through a Service, by its rules in the kernel: with or without an API. */
async function assertServes(address: string): Promise<void> {
  const answer = await lab.netloom(["exec", "node-1", "--", "curl", "-sS", "-m", "2", `http://${address}/`]);
  assert.match(answer.stdout, /nginx/i, answer.stderr);
}

/** What kubectl says of a write, once it is refused: the store's files may have a few pages left. */
async function refusal(): Promise<string> {
  return await eventually(async () => {
    const name = `big-${Math.round(performance.now())}`;
    const answer = await lab.kubectl(["create", "configmap", name, `--from-literal=a=${"x".repeat(20_000)}`]);
    assert.notEqual(answer.code, 0);
    return answer.stderr;
  });
}

function kill(...words: readonly string[]): void {
  const found = labProcesses(lab).filter((one) => words.some((word) => one.words.includes(word)));
  assert.ok(found.length >= words.length, words.join(" "));
  for (const { pid } of found) process.kill(pid, "SIGKILL");
}

async function assertDoesNotSpin(when: string): Promise<void> {
  const use = await processorUse(lab, async () => await sleep(measuredMs));
  assert.ok(use < 0.6, `${Math.round(use * 100)} % of a processor ${when}`);
}

async function assertAllIsWell(): Promise<void> {
  await eventually(async () => await must(lab.kubectl(["create", "configmap", "after", "--from-literal=a=b"])), {
    timeoutMs: 40_000,
  });
  // The nodes may have told that they are short of disk, and look again every ten seconds.
  await must(lab.kubectl(["scale", "deployment", "web", "--replicas=3"]));
  await must(lab.kubectl(["rollout", "status", "deployment/web", "--timeout=40s"]));
  assert.ok(((await connection?.finish()) ?? 0) > 0);
  const restarts = await must(
    lab.kubectl(["get", "pod", "echo", "-o", "jsonpath={.status.containerStatuses[0].restartCount}"]),
  );
  assert.equal(restarts, "0");
  await eventually(async () => assert.doesNotMatch(await must(lab.netloom(["status"])), /^(server|agent-1): /m), {
    timeoutMs: 40_000,
  });
}

test(
  "a full disk: writes are refused with the reason, Services go on, and afterwards all is well",
  { skip: needsRoot },
  async () => {
    const disk = mountDisk("size=300m,mode=700");
    await bootBusyCluster();
    const address = await addressOf("web");
    await eventually(async () => await assertServes(address));

    const ballast = join(disk, "ballast");
    spawnSync("dd", ["if=/dev/zero", `of=${ballast}`, "bs=4k"], { stdio: "ignore" });
    assert.match(await refusal(), /disk is full/);
    await must(lab.kubectl(["get", "pods"]));
    await assertServes(address);
    await assertDoesNotSpin("while the disk is full");
    await connection?.check();

    // Nor do they begin anew on a full disk without saying why, or take the pods with them.
    kill("server", "agent");
    await sleep(2000);
    await assertDoesNotSpin("while server and agent start on a full disk");
    await assertServes(address);
    await connection?.check();

    rmSync(ballast);
    await assertAllIsWell();
  },
);

test("a state folder that becomes read-only ends nothing, and is told", { skip: needsRoot }, async (context) => {
  if (!canSetReadOnly()) {
    context.skip("files of this file system cannot be made immutable");
    return;
  }
  await bootBusyCluster();
  const address = await addressOf("web");
  setReadOnly(true);
  assert.match(await refusal(), /EPERM: operation not permitted.*store\.db.*writable again/);
  await must(lab.kubectl(["get", "pods"]));
  await assertServes(address);
  await assertDoesNotSpin("while the folder is read-only");
  await connection?.check();

  kill("server", "agent");
  await eventually(async () =>
    assert.match(await must(lab.netloom(["status"])), /^server: Cannot open the store ".*": EPERM.*writable/m),
  );
  await assertDoesNotSpin("while the server finds the folder read-only");
  await assertServes(address);
  await connection?.check();

  setReadOnly(false);
  await assertAllIsWell();
});

test("a disk that is too small, or read-only, is told by up, and nothing is left", { skip: needsRoot }, async () => {
  const disk = mountDisk("size=64k,mode=700");
  const full = await lab.netloom(["up"]);
  assert.equal(full.code, 1);
  assert.match(full.stderr, /disk is full; free space, or set XDG_STATE_HOME/);
  assert.deepEqual(labProcesses(lab), []);
  spawnSync("mount", ["-o", "remount,ro", disk]);
  const readOnly = await lab.netloom(["up"]);
  assert.equal(readOnly.code, 1);
  assert.match(readOnly.stderr, /read-only.*set XDG_STATE_HOME/);
});

const storeFile = (): string => join(lab.folder, "s/netloom/netloom/store.db");

/** All pages but the first, so that it is still taken for a database. */
function breakPages(path: string): void {
  const pageBytes = 4096;
  const { size } = statSync(path);
  assert.ok(size > 3 * pageBytes);
  const file = openSync(path, "r+");
  for (let at = pageBytes; at < size; at += pageBytes) writeSync(file, Buffer.alloc(pageBytes, 0x5a), 0, pageBytes, at);
  closeSync(file);
}

const damage = /Cannot open the store ".*store\.db": .*(malformed|corrupt).*restore the file from a copy/;

test("a broken page of the store is told by start, which leaves the folder as it is", async () => {
  await must(lab.netloom(["up", "--nodes", "1"]));
  await must(lab.netloom(["stop"]));
  const store = storeFile();
  const original = readFileSync(store);
  breakPages(store);
  const broken = readFileSync(store);
  const answer = await lab.netloom(["start"]);
  assert.equal(answer.code, 1);
  assert.match(answer.stderr, damage);
  assert.deepEqual(labProcesses(lab), []);
  assert.ok(readFileSync(store).equals(broken));
  // From a copy it starts.
  writeFileSync(store, original);
  for (const suffix of ["-wal", "-shm"]) rmSync(`${store}${suffix}`, { force: true });
  await must(lab.netloom(["start"]));
});

test("pages of the store that break while it runs end no pod, and a copy brings the server back", async () => {
  await bootBusyCluster();
  const address = await addressOf("web");
  // What the store has in its log alone goes to the file with a stop.
  connection?.close();
  await must(lab.netloom(["stop"]));
  await must(lab.netloom(["start"]));
  await must(lab.kubectl(["rollout", "status", "deployment/web", "--timeout=30s"]));
  await must(lab.kubectl(["wait", "--for=condition=Ready", "pod/echo", "--timeout=30s"]));
  const echo = await addressOf("echo");
  connection = await eventually(async () => await openConnection(lab, echo));
  const restarts = async (): Promise<string> =>
    await must(lab.kubectl(["get", "pods", "-o", "jsonpath={.items[*].status.containerStatuses[0].restartCount}"]));
  assert.equal(await restarts(), "1 1 1");

  const files = ["", "-wal"].map((suffix) => `${storeFile()}${suffix}`);
  for (const file of files) if (existsSync(file)) copyFileSync(file, `${file}.copy`);
  breakPages(storeFile());
  // What it serves lies in memory.
  await must(lab.kubectl(["get", "pods"]));
  kill("server");
  await eventually(async () => assert.match(await must(lab.netloom(["status"])), damage));
  await assertDoesNotSpin("while the store is broken");
  await assertServes(address);
  await connection.check();
  for (const file of files) {
    rmSync(file, { force: true });
    if (existsSync(`${file}.copy`)) copyFileSync(`${file}.copy`, file);
  }
  await eventually(async () => assert.equal(await restarts(), "1 1 1"), { timeoutMs: 40_000 });
  assert.ok((await connection.finish()) > 0);
  await must(lab.kubectl(["create", "configmap", "after", "--from-literal=a=b"]));
});
