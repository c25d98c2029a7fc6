/** A clock that jumps, forward and back, under a whole cluster at work. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Connection,
  echoManifest,
  eventually,
  type Lab,
  makeLab,
  must,
  openConnection,
  processorUse,
} from "./lab/index.ts";
import { patience } from "../patience.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const measuredMs = 3000;

const crashing = (name: string): string => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: crashing, image: busybox, command: ["false"]}]
`;

describe("a clock that is set under a running cluster", () => {
  let lab: Lab;
  let connection: Connection;
  let shiftMs = 0;

  before(async () => {
    lab = makeLab();
    const file = join(lab.folder, "clock");
    writeFileSync(file, "0");
    const preload = join(import.meta.dirname, "lab/shifted-clock.mjs");
    const shifted = { NODE_OPTIONS: `--import=${preload}`, NETLOOM_TEST_CLOCK: file };
    await must(lab.netloom(["up", "--nodes", "2"], { env: shifted }));
    await must(lab.kubectl(["create", "deployment", "web", "--image=nginx", "--replicas=2"]));
    await must(lab.kubectl(["expose", "deployment", "web", "--port=80"]));
    await must(lab.kubectl(["apply", "-f", "-"], { input: echoManifest }));
    await must(lab.kubectl(["rollout", "status", "deployment/web", "--timeout=30s"]));
    await must(lab.kubectl(["wait", "--for=condition=Ready", "pod/echo", "--timeout=30s"]));
    const address = await must(lab.kubectl(["get", "service", "echo", "-o", "jsonpath={.spec.clusterIP}"]));
    connection = await eventually(async () => await openConnection(lab, address));
  });
  after(async () => {
    connection.close();
    await lab.end();
  });

  function jump(byMs: number): void {
    shiftMs += byMs;
    writeFileSync(join(lab.folder, "clock"), `${shiftMs}`);
  }

  const crashes = async (pod: string): Promise<number> =>
    Number(await must(lab.kubectl(["get", "pod", pod, "-o", "jsonpath={.status.containerStatuses[0].restartCount}"])));
  const podsOfWeb = async (): Promise<string> =>
    await must(
      lab.kubectl([
        "get",
        "pods",
        "-l",
        "app=web",
        "-o",
        'jsonpath={range .items[*]}{.metadata.uid} {.status.containerStatuses[0].restartCount}{"\\n"}{end}',
      ]),
    );

  const jumps: readonly (readonly [name: string, byMs: number])[] = [
    ["an hour forward", hourMs],
    ["two hours back", -2 * hourMs],
    ["thirty days forward", 30 * 24 * hourMs],
    ["thirty days back", -30 * 24 * hourMs],
  ];
  for (const [index, [name, byMs]] of jumps.entries()) {
    test(
      `${name}: nothing is evicted, nothing spins, and what is asked for happens`,
      { timeout: 180_000 * patience },
      async () => {
        const pods = await podsOfWeb();
        const pod = `crashing-${index}`;
        await must(lab.kubectl(["apply", "-f", "-"], { input: crashing(pod) }));
        // The first restart comes at once, the next after ten seconds.
        await eventually(async () => assert.ok((await crashes(pod)) > 0));
        // One is ending while it happens, and has most of its time left.
        const ending = `ending-${index}`;
        const grace = JSON.stringify({ spec: { terminationGracePeriodSeconds: 8 } });
        const stubborn = ["--command", "--", "sh", "-c", "trap '' TERM; while true; do sleep 1; done"];
        await must(lab.kubectl(["run", ending, "--image=busybox", `--overrides=${grace}`, ...stubborn]));
        await must(lab.kubectl(["wait", "--for=condition=Ready", `pod/${ending}`, "--timeout=30s"]));
        await must(lab.kubectl(["delete", "pod", ending, "--wait=false"]));
        jump(byMs);
        const use = await processorUse(lab, async () => await sleep(measuredMs));
        assert.ok(use < 0.6, `${Math.round(use * 100)} % of a processor after the jump`);
        await connection.check();

        const seen = await must(
          lab.kubectl(["create", "configmap", `at-${index}`, "-o", "jsonpath={.metadata.creationTimestamp}"]),
        );
        assert.ok(Math.abs(Date.parse(seen) - Date.now() - shiftMs) < minuteMs, `${seen} is the clock of the server`);
        await must(lab.kubectl(["scale", "deployment", "web", `--replicas=${3 + index}`]));
        await must(lab.kubectl(["rollout", "status", "deployment/web", "--timeout=60s"]));
        const now = await podsOfWeb();
        for (const one of pods.trim().split("\n")) assert.ok(now.includes(one), `${one} in\n${now}`);
        assert.match(await must(lab.kubectl(["get", "nodes", "--no-headers"])), /^node-1 +Ready .*\nnode-2 +Ready /);
        // In its own time, however far away the clock says that is.
        await eventually(async () => assert.equal((await lab.kubectl(["get", "pod", ending])).code, 1), {
          timeoutMs: 30_000,
        });
        await eventually(async () => assert.ok((await crashes(pod)) > 1), { timeoutMs: 40_000 });
        await must(lab.kubectl(["delete", "pod", pod]));
        // Names are found, by a DNS that asks the API with a token of its own; also after it has started anew.
        await eventually(async () => {
          const answer = await must(lab.kubectl(["exec", "echo", "--", "nslookup", "web.default.svc.cluster.local"]));
          assert.match(answer, /Name:.*\nAddress: 10\.\d+/);
        });
        await connection.check();
      },
    );
  }

  test("DNS that starts anew in another time serves", { timeout: 120_000 * patience }, async () => {
    await must(lab.kubectl(["delete", "pods", "-n", "kube-system", "-l", "k8s-app=kube-dns", "--timeout=25s"]));
    await must(lab.kubectl(["rollout", "status", "-n", "kube-system", "deployment/coredns", "--timeout=40s"]));
    await eventually(async () => {
      const answer = await must(lab.kubectl(["exec", "echo", "--", "nslookup", "web.default.svc.cluster.local"]));
      assert.match(answer, /Name:.*\nAddress: 10\.\d+/);
    });
    assert.ok((await connection.finish()) > 0);
  });
});
