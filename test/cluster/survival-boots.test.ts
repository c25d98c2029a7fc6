/**
 * Boots and downs in a row leave the machine as it was: namespaces, mounts, processes, files, and memory where it can be
 * told apart from what others use. Clusters and users side by side do not meet.
 * NETLOOM_BOOTS says how many in a row (3).
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import {
  eventually,
  isRoot,
  type Lab,
  type LabUser,
  machineState,
  makeLab,
  must,
  openMemoryAccount,
} from "./lab/index.ts";
import { patience } from "../patience.ts";

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

/** Of the machine's own network namespace and mounts; what other tests mount meanwhile lies in the folder for such. */
function stateOf(lab: Lab) {
  const { files, ...state } = machineState(lab.folder);
  return {
    ...state,
    kept: files.filter((file) => !/^(r|s|r\/netloom|s\/netloom|data.*|\.kube.*)$/.test(file)),
    mountPoints: readFileSync("/proc/mounts", "utf8")
      .split("\n")
      .filter((line) => !line.includes(` ${tmpdir()}/`) || line.includes(lab.folder)),
    elsewhere: ["/run", "/dev/shm", "/var/lib", "/var/tmp"].flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => /netloom|conmon|crun|containers/.test(name))
        .map((name) => `${folder}/${name}`),
    ),
  };
}

const users: readonly LabUser[] = isRoot ? ["own", "ordinary"] : ["own"];
/** A leaked network namespace alone would be thirty times a tenth of it. */
const mostBytesLeft = 3 * 1024 * 1024;

for (const user of users) {
  const who = user === "ordinary" || !isRoot ? "an ordinary user" : "root";
  test(
    `${boots} boots and downs in a row by ${who} leave the machine as it was`,
    { timeout: (60_000 + boots * 30_000) * patience },
    async () => {
      const account = openMemoryAccount();
      const lab = makeLab({ user, prefix: account?.enter ?? [] });
      try {
        // Caches of compiled code and of kubectl are made once.
        await bootOnce(lab, { isStopped: true });
        const before = stateOf(lab);
        const namespacesBefore = namespaces();
        await eventually(() => assert.deepEqual(account?.processes() ?? [], []));
        const bytesBefore = account?.usedBytes() ?? 0;
        for (let boot = 0; boot < boots; boot += 1) await bootOnce(lab, { isStopped: boot % 2 === 1 });
        await eventually(() => {
          assert.deepEqual(stateOf(lab), before);
          const leftMounts = [...namespaces()].filter((name) => !namespacesBefore.has(name));
          const ours = leftMounts.filter((name) => mentions(name, lab.folder));
          assert.deepEqual(ours, []);
          assert.deepEqual(account?.processes() ?? [], []);
          const left = (account?.usedBytes() ?? 0) - bytesBefore;
          assert.ok(left < mostBytesLeft, `${left} bytes more than before ${boots} boots`);
        });
      } finally {
        await lab.end();
        if (account !== undefined) await eventually(() => account.close());
      }
    },
  );
}

async function bootOnce(lab: Lab, { isStopped }: { readonly isStopped: boolean }): Promise<void> {
  await must(lab.netloom(["up"]));
  await must(lab.kubectl(["run", "one", "--image=busybox", "--command", "--", "sleep", "1000"]));
  await must(lab.kubectl(["wait", "--for=condition=Ready", "pod/one", "--timeout=20s"]));
  if (isStopped) {
    await must(lab.netloom(["stop"]));
    await must(lab.netloom(["start"]));
  }
  await must(lab.netloom(["down"]));
}

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

/** Makes a Deployment of nginx and gives its URL on the machine's loopback. */
async function serveWeb(lab: Lab, name = "netloom"): Promise<string> {
  const context = ["--context", name];
  await must(lab.kubectl([...context, "create", "deployment", "web", "--image=nginx"]));
  await must(lab.kubectl([...context, "expose", "deployment", "web", "--port=80", "--type=NodePort"]));
  await must(lab.kubectl([...context, "rollout", "status", "deployment/web", "--timeout=30s"]));
  const port = await must(
    lab.kubectl([...context, "get", "service", "web", "-o", "jsonpath={.spec.ports[0].nodePort}"]),
  );
  const host = /127\.\d+\.0\.1$/m.exec(await must(lab.netloom(["status", "--name", name])))?.[0] ?? "";
  return `http://${host}:${port}/`;
}

async function ask(url: string): Promise<void> {
  await eventually(async () => assert.match(await (await fetch(url)).text(), /nginx/i));
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
    const [ofFirst, ofSecond] = [await serveWeb(lab, "first"), await serveWeb(lab, "second")];
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

test(
  "clusters of root and of an ordinary user, of one name, are booted at once and do not meet",
  { skip: isRoot ? false : "root can become another user" },
  async () => {
    const labs = [makeLab(), makeLab({ user: "ordinary" })] as const;
    const [roots, others] = labs;
    try {
      await Promise.all(labs.map(async (lab) => await must(lab.netloom(["up", "--nodes", "2"]))));
      const [ofRoot, ofOther] = await Promise.all([serveWeb(roots), serveWeb(others)]);
      assert.notEqual(new URL(ofRoot).hostname, new URL(ofOther).hostname);
      await ask(ofRoot);
      await ask(ofOther);
      const servers = await Promise.all(
        labs.map(
          async (lab) =>
            await must(lab.kubectl(["config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}"])),
        ),
      );
      assert.notEqual(servers[0], servers[1]);
      for (const lab of labs) {
        const listed = (await must(lab.netloom(["list"]))).trim().split("\n");
        assert.equal(listed.length, 2, listed.join("\n"));
      }
      // The keys of one are none of the other's.
      assert.equal((await others.shell(`cat ${roots.env["KUBECONFIG"]}`)).code, 1);
      const server = `--server=${servers[0]}`;
      assert.match((await others.kubectl([server, "get", "nodes"])).stderr, /certificate/);
      const stranger = await others.kubectl([server, "--insecure-skip-tls-verify", "get", "nodes"]);
      assert.match(stranger.stderr, /must be logged in|Unauthorized|forbidden/);
      await must(others.netloom(["down"]));
      await ask(ofRoot);
      await assert.rejects(fetch(ofOther));
      await must(others.netloom(["up", "--nodes", "1"]));
      await must(roots.netloom(["down"]));
      assert.match(await must(others.kubectl(["get", "nodes"])), /node-1 +Ready/);
    } finally {
      await Promise.all(labs.map(async (lab) => await lab.end()));
    }
  },
);
