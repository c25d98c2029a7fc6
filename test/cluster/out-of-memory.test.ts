/** Whom the kernel kills when memory runs out: pods, by their class, before what keeps them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  eventually,
  isRoot,
  type Lab,
  labProcesses,
  type LabUser,
  makeLab,
  must,
  openMemoryAccount,
} from "./lab/index.ts";

const pod = (name: string, resources: string): string => `---
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: ${name}, image: busybox, command: [sleep, "10000"], resources: ${resources}}]
`;
const manifests = [
  pod("guaranteed", "{limits: {cpu: 10m, memory: 16Mi}}"),
  pod("burstable", "{requests: {memory: 256Mi}}"),
  pod("best-effort", "{}"),
].join("");

const scoreOf = (pid: number | string): number => Number(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8"));

/** CAP_SYS_RESOURCE is bit 24. */
const mayLower = (): boolean =>
  isRoot &&
  ((BigInt(`0x${/^CapEff:\s*(\w+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]}`) >> 24n) & 1n) === 1n;

/** The parts of the cluster itself, by their command lines. */
const ownParts = (lab: Lab): readonly number[] =>
  labProcesses(lab)
    .filter(({ words }) => ["holder", "server", "agent"].some((part) => words.includes(part)))
    .map(({ pid }) => pid);

const users: readonly LabUser[] = isRoot ? ["own", "ordinary"] : ["own"];
for (const user of users) {
  const isPrivileged = user === "own" && mayLower();
  const who = user === "own" && isRoot ? "root's" : "an ordinary user's";
  test(`the pods of ${who} cluster have upstream's OOM scores as far as the kernel allows, its own parts the lowest`, async () => {
    const lab = makeLab({ user });
    try {
      await must(lab.netloom(["up", "--nodes", "1"]));
      await must(lab.kubectl(["apply", "-f", "-"], { input: manifests }));
      await must(lab.kubectl(["wait", "--for=condition=Ready", "pod", "--all", "--timeout=30s"]));
      const own = isPrivileged ? -999 : scoreOf("self");
      assert.deepEqual(new Set(ownParts(lab).map(scoreOf)), new Set([own]));
      const capacity = await must(lab.kubectl(["get", "node/node-1", "-o", "jsonpath={.status.capacity.memory}"]));
      const share = 1000 - Math.floor((1000 * 256 * 1024) / Number(capacity.replace("Ki", "")));
      for (const [name, expected] of [
        ["guaranteed", -997],
        ["burstable", share],
        ["best-effort", 1000],
      ] as const) {
        const score = `${Math.max(expected, own)}\n`;
        const files = ["/proc/1/oom_score_adj", "/proc/self/oom_score_adj"];
        // Of the container, and of what is run in it later.
        assert.equal(await must(lab.kubectl(["exec", name, "--", "cat", ...files])), score.repeat(2), name);
      }
    } finally {
      await lab.end();
    }
  });
}

test("where memory runs out, a pod is killed and started again, and the cluster does not notice", async (t) => {
  const account = openMemoryAccount();
  if (account === undefined) {
    assert.equal(process.env["NETLOOM_CI"], undefined, "no memory cgroup can be made here, and CI must not skip this");
    t.skip("no memory cgroup can be made here");
    return;
  }
  const lab = makeLab({ prefix: account.enter });
  try {
    await must(lab.netloom(["up", "--nodes", "1"]));
    await must(lab.kubectl(["apply", "-f", "-"], { input: manifests }));
    await must(lab.kubectl(["wait", "--for=condition=Ready", "pod", "--all", "--timeout=30s"]));
    const parts = ownParts(lab);
    assert.equal(account.kills(), 0);
    account.limit(account.usedBytes() + 128 * 1024 * 1024);
    // Reads a line that never ends.
    await must(lab.kubectl(["run", "eater", "--image=busybox", "--command", "--", "tail", "/dev/zero"]));
    await eventually(() => assert.ok(account.kills() > 0));
    await eventually(async () => {
      const path = "jsonpath={.status.containerStatuses[0].lastState.terminated.exitCode}";
      assert.equal(await must(lab.kubectl(["get", "pod/eater", "-o", path])), "137");
    });
    await must(lab.kubectl(["delete", "pod/eater", "--now"]));
    assert.deepEqual(ownParts(lab), parts);
    const restarts = [
      "get",
      "pods",
      "guaranteed",
      "burstable",
      "-o",
      "jsonpath={.items[*].status.containerStatuses[*].restartCount}",
    ];
    assert.equal(await must(lab.kubectl(restarts)), "0 0");
  } finally {
    await lab.end();
    await eventually(() => account.close());
  }
});
