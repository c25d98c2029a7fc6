/** A cluster is stopped and started, its nodes come and go, and what is broken by hand is mended. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually, type Lab, makeLab, must } from "./lab/index.ts";

async function deployWeb(lab: Lab, replicas: number): Promise<void> {
  await must(lab.kubectl(["create", "deployment", "web", "--image=nginx", `--replicas=${replicas}`]));
  await must(lab.kubectl(["expose", "deployment", "web", "--port=80"]));
  await must(lab.kubectl(["rollout", "status", "deployment/web", "--timeout=30s"]));
}

async function clusterIp(lab: Lab): Promise<string> {
  return await must(lab.kubectl(["get", "service", "web", "-o", "jsonpath={.spec.clusterIP}"]));
}

/** Asked from a node, by the Service's address. */
async function assertServes(lab: Lab, address: string): Promise<void> {
  await eventually(async () => {
    const answer = await lab.netloom(["exec", "node-1", "--", "curl", "-sS", "-m", "2", `http://${address}/`]);
    assert.match(answer.stdout, /nginx/i, answer.stderr);
  });
}

describe("a cluster that is stopped and started", () => {
  let lab: Lab;
  before(async () => {
    lab = makeLab();
    await must(lab.netloom(["up"]));
  });
  after(async () => await lab.end());

  const uidsAndAddresses = async (): Promise<string> =>
    await must(
      lab.kubectl([
        "get",
        "services,deployments,replicasets,pods,configmaps,secrets",
        "-A",
        "-o",
        'jsonpath={range .items[*]}{.kind} {.metadata.namespace}/{.metadata.name} {.metadata.uid} {.spec.clusterIP}{"\\n"}{end}',
      ]),
    );

  test("has its objects, Service addresses and pods again, and counts their restarts", async () => {
    await deployWeb(lab, 3);
    await must(lab.kubectl(["create", "configmap", "kept", "--from-literal=a=b"]));
    await must(lab.kubectl(["run", "once", "--image=busybox", "--restart=Never", "--command", "--", "sleep", "1000"]));
    await must(lab.kubectl(["wait", "--for=condition=Ready", "pod/once", "--timeout=20s"]));
    const address = await clusterIp(lab);
    const objects = await uidsAndAddresses();
    const stop = await lab.netloom(["stop"]);
    assert.equal(stop.code, 0, stop.stderr);
    assert.match(stop.stderr, /is stopped \(start it again with "netloom start"/);
    assert.equal(existsSync(join(lab.folder, "r/netloom/netloom")), false);
    assert.match(readFileSync(lab.env["KUBECONFIG"] ?? "", "utf8"), /current-context: netloom/);
    assert.match((await lab.netloom(["exec", "node-1", "--", "true"])).stderr, /start it with "netloom start"/);

    await must(lab.netloom(["start"]));
    await assertServes(lab, address);
    // A login has an XDG_RUNTIME_DIR, cron and su have none, or another.
    const elsewhere = { env: { XDG_RUNTIME_DIR: join(lab.folder, "elsewhere") } };
    assert.match(await must(lab.netloom(["list"], elsewhere)), /running/);
    await must(lab.netloom(["start"], elsewhere));
    assert.equal(existsSync(join(lab.folder, "elsewhere")), false, "a second start made a folder of its own");
    await assertServes(lab, address);
    assert.equal(await uidsAndAddresses(), objects);
    await eventually(async () => {
      const restarts = await must(
        lab.kubectl([
          "get",
          "pods",
          "-l",
          "app=web",
          "-o",
          "jsonpath={.items[*].status.containerStatuses[0].restartCount}",
        ]),
      );
      assert.equal(restarts, "1 1 1");
      const last = await must(
        lab.kubectl([
          "get",
          "pod",
          "once",
          "-o",
          "jsonpath={.status.phase} {.status.containerStatuses[0].state.terminated.reason}",
        ]),
      );
      assert.equal(last, "Failed Unknown");
      const events = await must(lab.kubectl(["get", "events", "--field-selector", "reason=Rebooted", "-o", "name"]));
      assert.equal(events.trim().split("\n").length, 3);
      const changed = await must(lab.kubectl(["get", "events", "--field-selector", "reason=SandboxChanged"]));
      assert.match(changed, /Normal +SandboxChanged +pod\/web-/);
    });
  });

  test("is started by up, which refuses other settings", async () => {
    const stopped = await lab.netloom(["stop"]);
    assert.equal(stopped.code, 0, stopped.stderr);
    const took = /, (\d+) ms\)/.exec(stopped.stderr)?.[1];
    assert.ok(
      Number(took) < 8000,
      `its parts ended when they were asked to, and nobody had to be killed: ${stopped.stderr}`,
    );
    const other = await lab.netloom(["up", "--nodes", "5"]);
    assert.equal(other.code, 1);
    assert.match(other.stderr, /Cannot start the stopped cluster "netloom" with another --nodes/);
    await must(lab.netloom(["up"]));
    assert.match(await must(lab.kubectl(["get", "configmap", "kept", "-o", "name"])), /kept/);
    for (const command of ["up", "start"]) {
      rmSync(join(lab.folder, "kubeconfig"));
      const answer = await lab.netloom([command, "--wait", "30s"]);
      assert.equal(answer.code, 0, answer.stderr);
      assert.match(answer.stderr, /The cluster "netloom" runs already/);
      await must(lab.kubectl(["get", "nodes"]));
    }
  });

  test("comes back after everything was killed at once, as by a crash of the machine", async () => {
    const status = JSON.parse(await must(lab.netloom(["status", "-o", "json"]))) as unknown;
    assert.ok(status);
    const { pid } = JSON.parse(readFileSync(join(lab.folder, "r/netloom/netloom/supervisor.json"), "utf8")) as {
      pid: number;
    };
    // With the supervisor the whole cluster ends, and nobody cleans up.
    process.kill(pid, "SIGKILL");
    await eventually(async () => {
      assert.match((await lab.netloom(["stop"])).stderr, /does not run/);
      assert.equal(existsSync(`/proc/${pid}`), false);
    });
    await must(lab.netloom(["start"]));
    await assertServes(lab, await clusterIp(lab));
  });

  test("says which file of its state folder is damaged", async () => {
    await must(lab.netloom(["stop"]));
    const file = join(lab.folder, "s/netloom/netloom/nodes.json");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, "[]");
    const answer = await lab.netloom(["start"]);
    assert.equal(answer.code, 1);
    assert.match(answer.stderr, /holds what is left of a cluster "netloom".*it is no list of nodes/);
    writeFileSync(file, text);
    await must(lab.netloom(["start"]));
  });
});

describe("the nodes of a running cluster", () => {
  let lab: Lab;
  before(async () => {
    lab = makeLab();
    await must(lab.netloom(["up"]));
    await deployWeb(lab, 3);
  });
  after(async () => await lab.end());

  const nodes = async (): Promise<string> =>
    (await must(lab.kubectl(["get", "nodes", "--no-headers"])))
      .replaceAll(/ +/g, " ")
      .replaceAll(/ <.*| control.*/g, "");
  const endpoints = async (): Promise<readonly string[]> =>
    (await must(lab.kubectl(["get", "endpoints", "web", "-o", "jsonpath={.subsets[*].addresses[*].nodeName}"]))).split(
      " ",
    );

  test("one that is shut down is NotReady at once, and its pods are replaced elsewhere", async () => {
    await must(lab.netloom(["node", "stop", "node-2"]));
    assert.equal(await nodes(), "node-1 Ready\nnode-2 NotReady\nnode-3 Ready\n");
    await eventually(async () => {
      const names = await endpoints();
      assert.equal(names.length, 3);
      assert.ok(!names.includes("node-2"), names.join(" "));
    });
    assert.equal((await lab.netloom(["exec", "node-1", "--", "ping", "-c1", "-W1", "192.168.60.12"])).code, 1);
    await assertServes(lab, await clusterIp(lab));
    // Still so after the cluster was stopped meanwhile.
    await must(lab.netloom(["stop"]));
    await must(lab.netloom(["start"]));
    assert.match(await nodes(), /node-2 NotReady/);
  });

  test("and comes back with nothing of what ran on it", async () => {
    await must(lab.netloom(["node", "start", "node-2"]));
    assert.equal(await nodes(), "node-1 Ready\nnode-2 Ready\nnode-3 Ready\n");
    const links = await must(lab.netloom(["exec", "node-2", "--", "ip", "-o", "link"]));
    assert.equal(links.trim().split("\n").length, 2, links);
    await must(lab.kubectl(["scale", "deployment", "web", "--replicas=6"]));
    await eventually(async () => assert.ok((await endpoints()).includes("node-2")));
  });

  test("one that is added takes pods, which the others reach", async () => {
    const added = await lab.netloom(["node", "add"]);
    assert.equal(added.code, 0, added.stderr);
    assert.match(added.stderr, /node "node-4" is Ready/);
    const overrides = JSON.stringify({ spec: { nodeName: "node-4" } });
    await must(lab.kubectl(["run", "far", "--image=nginx", `--overrides=${overrides}`]));
    await must(lab.kubectl(["wait", "--for=condition=Ready", "pod/far", "--timeout=20s"]));
    const ip = await must(lab.kubectl(["get", "pod", "far", "-o", "jsonpath={.status.podIP}"]));
    assert.match(ip, /^10\.244\.4\./);
    await assertServes(lab, ip);
    assert.match(await must(lab.kubectl(["exec", "far", "--", "hostname"])), /far/);
    assert.match((await lab.netloom(["node", "add", "node-4"])).stderr, /it is there already/);
    assert.match(await must(lab.netloom(["exec", "node-1", "--", "getent", "hosts", "node-4"])), /^192\.168\.60\.14 /);
  });

  test("one that is deleted is gone with its pods", async () => {
    await must(lab.netloom(["node", "delete", "node-4"]));
    assert.equal(await nodes(), "node-1 Ready\nnode-2 Ready\nnode-3 Ready\n");
    await eventually(async () => assert.equal((await lab.kubectl(["get", "pod", "far"])).code, 1));
    assert.equal(existsSync(join(lab.folder, "s/netloom/netloom/nodes/node-4")), false);
    await eventually(async () =>
      assert.equal((await lab.netloom(["exec", "node-1", "--", "grep", "node-4", "/etc/hosts"])).code, 1),
    );
    assert.match((await lab.netloom(["node", "delete", "node-1"])).stderr, /the control plane is shown on it/);
    assert.match((await lab.netloom(["node", "stop", "nobody"])).stderr, /there is none; choose one of node-1/);
  });

  const byHand: readonly (readonly [what: string, script: string, look: string, event: RegExp])[] = [
    [
      "the proxy's table",
      "nft delete table ip netloom",
      "nft list table ip netloom | grep -c default/web",
      /service-proxy.*ip netloom/,
    ],
    [
      "a route to another node's pods",
      "ip route del 10.244.3.0/24",
      "ip route show 10.244.3.0/24 | grep -c via",
      /pod-network.*10\.244\.3\.0\/24/,
    ],
    [
      "a pod's link",
      "ip link del $(ip -o link | grep -o 'v[0-9a-f]\\{10\\}' | head -n1)",
      "test $(ip -o link | grep -c ' v[0-9a-f]\\{10\\}') = $(ip route | grep -c 'dev v')",
      /pod-network.*create-link v/,
    ],
    [
      "the node's own address",
      "ip address flush dev eth0",
      "ip route | grep -c '^default via'",
      /lab-network.*192\.168\.60\.11/,
    ],
  ];
  for (const [what, script, look, event] of byHand) {
    test(`${what} comes back when somebody deletes it, with an event on the node`, async () => {
      const address = await clusterIp(lab);
      await must(lab.netloom(["exec", "node-1", "--", "sh", "-c", script]));
      await eventually(
        async () => assert.equal((await lab.netloom(["exec", "node-1", "--", "sh", "-c", look])).code, 0),
        { timeoutMs: 5000 },
      );
      await eventually(async () => {
        const events = await must(
          lab.kubectl(["get", "events", "--field-selector", "reason=NetworkRepaired,involvedObject.name=node-1"]),
        );
        assert.match(events, event);
      });
      await assertServes(lab, address);
    });
  }
});

/** Forty seconds of waiting are for whoever asks: NETLOOM_LONG_TESTS=1. */
const isLong = process.env["NETLOOM_LONG_TESTS"] === "1";

test(
  "a node whose power is cut is NotReady in upstream's forty seconds, and leaves the Services then",
  { skip: !isLong },
  async () => {
    const lab = makeLab();
    try {
      await must(lab.netloom(["up", "--nodes", "2"]));
      await deployWeb(lab, 2);
      const ready = async (): Promise<string> =>
        await must(
          lab.kubectl(["get", "node", "node-2", "-o", 'jsonpath={.status.conditions[?(@.type=="Ready")].status}']),
        );
      await must(lab.netloom(["node", "stop", "node-2", "--power-cut"]));
      const started = performance.now();
      assert.equal(await ready(), "True");
      await eventually(async () => assert.equal(await ready(), "Unknown"), { timeoutMs: 60_000 });
      const seconds = (performance.now() - started) / 1000;
      // The lease was renewed at most ten seconds before.
      assert.ok(seconds > 28 && seconds < 55, `${seconds} s`);
      await eventually(async () => {
        const names = await must(
          lab.kubectl(["get", "endpoints", "web", "-o", "jsonpath={.subsets[*].addresses[*].nodeName}"]),
        );
        assert.equal(names, "node-1");
      });
      await must(lab.netloom(["node", "start", "node-2"]));
      assert.equal(await ready(), "True");
    } finally {
      await lab.end();
      rmSync(lab.folder, { recursive: true, force: true });
    }
  },
);
