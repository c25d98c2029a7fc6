/**
 * Boots and downs in a row leave the machine as it was; clusters and users side by side do not meet.
 * NETLOOM_BOOTS says how many in a row (3).
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { test } from "node:test";
import { eventually, type Lab, machineState, makeLab, must } from "./lab/index.ts";

const boots = Number(process.env["NETLOOM_BOOTS"] ?? "3");

const kinds = ["net", "mnt", "pid", "user", "uts", "ipc"] as const;

/** The namespaces that processes of this machine are in, other than those of processes that were there before. */
function namespaces(): ReadonlySet<string> {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return new Set(
    pids.flatMap((pid) =>
      kinds.flatMap((kind) => {
        try {
          return [readlinkSync(`/proc/${pid}/ns/${kind}`)];
        } catch {
          // It ended while we looked, or is another user's.
          return [];
        }
      }),
    ),
  );
}

const lines = (path: string): readonly string[] => readFileSync(path, "utf8").split("\n");

function stateOf(lab: Lab) {
  const { files, ...state } = machineState(lab.folder);
  return {
    ...state,
    kept: files.filter((file) => !/^(r|s|r\/netloom|s\/netloom|\.kube.*)$/.test(file)),
    mountPoints: lines("/proc/mounts").length,
    elsewhere: ["/run", "/dev/shm", "/var/lib", "/var/tmp"].flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => /netloom|conmon|crun|containers/.test(name))
        .map((name) => `${folder}/${name}`),
    ),
  };
}

test(
  `${boots} boots and downs in a row leave the machine as it was`,
  { timeout: 30_000 + boots * 20_000 },
  async () => {
    const lab = makeLab();
    try {
      // Caches of compiled code and of kubectl are made once.
      await must(lab.netloom(["up", "--nodes", "1"]));
      await must(lab.kubectl(["get", "nodes"]));
      await must(lab.netloom(["down"]));
      const before = stateOf(lab);
      const namespacesBefore = namespaces();
      for (let boot = 0; boot < boots; boot += 1) {
        await must(lab.netloom(["up"]));
        await must(lab.kubectl(["run", "one", "--image=busybox", "--command", "--", "sleep", "1000"]));
        await must(lab.kubectl(["wait", "--for=condition=Ready", "pod/one", "--timeout=20s"]));
        if (boot % 2 === 1) {
          await must(lab.netloom(["stop"]));
          await must(lab.netloom(["start"]));
        }
        await must(lab.netloom(["down"]));
      }
      await eventually(() => {
        assert.deepEqual(stateOf(lab), before);
        const leftMounts = [...namespaces()].filter((name) => !namespacesBefore.has(name));
        const ours = leftMounts.filter((name) => mentions(name, lab.folder));
        assert.deepEqual(ours, []);
      });
    } finally {
      await lab.end();
    }
  },
);

/** Whether a process in that namespace has one of the lab's files in its mounts or command line. */
function mentions(namespace: string, folder: string): boolean {
  const kind = namespace.split(":")[0] ?? "";
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => {
      try {
        if (readlinkSync(`/proc/${pid}/ns/${kind}`) !== namespace) return false;
        return ["mounts", "cmdline"].some((file) => readFileSync(`/proc/${pid}/${file}`, "utf8").includes(folder));
      } catch {
        return false;
      }
    });
}

test("two clusters of one user serve side by side, and one that ends leaves the other alone", async () => {
  const lab = makeLab();
  try {
    const [first, second] = await Promise.all([
      lab.netloom(["up", "--name", "first", "--nodes", "2"]),
      lab.netloom(["up", "--name", "second", "--nodes", "2"]),
    ]);
    assert.equal(first.code, 0, first.stderr);
    assert.equal(second.code, 0, second.stderr);
    const serve = async (name: string): Promise<string> => {
      const context = ["--context", name];
      await must(lab.kubectl([...context, "create", "deployment", "web", "--image=nginx"]));
      await must(lab.kubectl([...context, "expose", "deployment", "web", "--port=80", "--type=NodePort"]));
      await must(lab.kubectl([...context, "rollout", "status", "deployment/web", "--timeout=30s"]));
      const port = await must(
        lab.kubectl([...context, "get", "service", "web", "-o", "jsonpath={.spec.ports[0].nodePort}"]),
      );
      const host = /127\.\d+\.0\.1$/m.exec(await must(lab.netloom(["status", "--name", name])))?.[0] ?? "";
      return `http://${host}:${port}/`;
    };
    const [ofFirst, ofSecond] = [await serve("first"), await serve("second")];
    const ask = async (url: string): Promise<void> => {
      await eventually(async () => assert.match(await (await fetch(url)).text(), /nginx/i));
    };
    await ask(ofFirst);
    await ask(ofSecond);
    await must(lab.netloom(["down", "--name", "first"]));
    await ask(ofSecond);
    await assert.rejects(fetch(ofFirst));
    await must(lab.netloom(["stop", "--name", "second"]));
    await must(lab.netloom(["start", "--name", "second"]));
    await ask(ofSecond);
  } finally {
    await lab.netloom(["down", "--name", "first"]);
    await lab.netloom(["down", "--name", "second"]);
    await lab.end();
  }
});
