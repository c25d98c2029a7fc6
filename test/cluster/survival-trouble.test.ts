/** Trouble with the disk: told clearly, nothing spins, and packets go on. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, type Lab, labProcesses, makeLab, must } from "./lab/index.ts";

let lab: Lab;
beforeEach(() => {
  lab = makeLab();
});
afterEach(async () => {
  await lab.netloom(["down"]);
  spawnSync("umount", ["-l", join(lab.folder, "s")], { stdio: "ignore" });
  await lab.end();
});

const isRoot = process.getuid?.() === 0;
const needsRoot = isRoot ? false : "mounting a small disk needs root";

function mountDisk(options: string): string {
  const folder = join(lab.folder, "s");
  mkdirSync(folder, { recursive: true });
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder], { encoding: "utf8" });
  assert.equal(mounted.status, 0, mounted.stderr);
  return folder;
}

/** Clock ticks of all processes of the cluster so far. */
function cpuTicks(): number {
  return labProcesses(lab).reduce((sum, { pid }) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return sum + Number(fields[11]) + Number(fields[12]);
    } catch {
      return sum;
    }
  }, 0);
}

test(
  "a full disk: writes are refused with the reason, Services go on, and afterwards all is well",
  { skip: needsRoot },
  async () => {
    const disk = mountDisk("size=300m,mode=700");
    await must(lab.netloom(["up"]));
    await must(lab.kubectl(["create", "deployment", "web", "--image=nginx", "--replicas=2"]));
    await must(lab.kubectl(["expose", "deployment", "web", "--port=80"]));
    await must(lab.kubectl(["rollout", "status", "deployment/web", "--timeout=30s"]));
    const address = await must(lab.kubectl(["get", "service", "web", "-o", "jsonpath={.spec.clusterIP}"]));
    const ask = async (): Promise<void> => {
      const answer = await lab.netloom(["exec", "node-1", "--", "curl", "-sS", "-m", "2", `http://${address}/`]);
      assert.match(answer.stdout, /nginx/i, answer.stderr);
    };
    await eventually(ask);

    const ballast = join(disk, "ballast");
    spawnSync("dd", ["if=/dev/zero", `of=${ballast}`, "bs=4k"], { stdio: "ignore" });
    // The log of the store may have a few pages left.
    const refused = await eventually(async () => {
      const name = `big-${Math.round(performance.now())}`;
      const literal = `--from-literal=a=${"x".repeat(20_000)}`;
      const answer = await lab.kubectl(["create", "configmap", name, literal]);
      assert.notEqual(answer.code, 0);
      return answer.stderr;
    });
    assert.match(refused, /disk is full/);
    await must(lab.kubectl(["get", "pods"]));
    await ask();
    const before = cpuTicks();
    await sleep(2000);
    const busy = (cpuTicks() - before) / 2;
    assert.ok(busy < 50, `${busy} % of a processor while the disk is full`);
    await ask();

    rmSync(ballast);
    await eventually(async () => await must(lab.kubectl(["create", "configmap", "after", "--from-literal=a=b"])));
    // The nodes had told that they are short of disk, and look again every ten seconds.
    await must(lab.kubectl(["scale", "deployment", "web", "--replicas=3"]));
    await must(lab.kubectl(["rollout", "status", "deployment/web", "--timeout=30s"]));
  },
);

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

test("a broken page of the store is told by start, which leaves the folder as it is", async () => {
  await must(lab.netloom(["up", "--nodes", "1"]));
  await must(lab.netloom(["stop"]));
  const store = join(lab.folder, "s/netloom/netloom/store.db");
  const original = readFileSync(store);
  assert.ok(statSync(store).size > 3 * 4096);
  const file = openSync(store, "r+");
  for (const page of [1, 2, 3]) writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, page * 4096);
  closeSync(file);
  const broken = readFileSync(store);
  const answer = await lab.netloom(["start"]);
  assert.equal(answer.code, 1);
  assert.match(
    answer.stderr,
    /Cannot open the store ".*store\.db": .*(malformed|corrupt).*restore the file from a copy/,
  );
  assert.deepEqual(labProcesses(lab), []);
  assert.ok(readFileSync(store).equals(broken));
  // From a copy it starts.
  writeFileSync(store, original);
  for (const suffix of ["-wal", "-shm"]) rmSync(`${store}${suffix}`, { force: true });
  await must(lab.netloom(["start"]));
});
