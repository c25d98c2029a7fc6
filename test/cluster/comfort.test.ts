/** Living with a cluster: what the commands around it tell and do. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parse } from "yaml";
import { type Answer, eventually, makeLab } from "./lab/index.ts";
import { root } from "./lab/lab.ts";

const lab = makeLab();

async function ok(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await lab.netloom(args);
  assert.equal(code, 0, `netloom ${args.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}

async function kubectl(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await lab.kubectl(args);
  assert.equal(code, 0, `kubectl ${args.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  assert.ok(typeof address === "object" && address !== null);
  return address.port;
}

interface Status {
  readonly addresses: { readonly metrics: string; readonly serviceCidr: string };
  readonly processes: readonly {
    readonly name: string;
    readonly pid: number;
    readonly startedAt: string;
    readonly memoryBytes: number;
  }[];
  readonly nodes: readonly {
    readonly name: string;
    readonly status: string;
    readonly pods: number;
    readonly kernel: { readonly rules: number; readonly routes: number; readonly links: number };
  }[];
}

describe("a cluster made from a file", () => {
  before(async () => {
    writeFileSync(
      join(lab.folder, "netloom.yaml"),
      `apiVersion: netloom.dev/v1alpha1
kind: Cluster
spec:
  nodes: 1
  maxPods: 20
  serviceCidr: 10.200.0.0/16
  wait: 30s
  auditLog: true
`,
    );
    const up = await lab.netloom(["up", "-f", join(lab.folder, "netloom.yaml"), "--nodes", "2"]);
    assert.equal(up.code, 0, up.stderr);
  });
  after(async () => await lab.end());

  test("has what the file says, and what a flag says over it", async () => {
    const nodes = JSON.parse(await kubectl(["get", "nodes", "-o", "json"])) as {
      items: readonly { status: { capacity: { pods: string } } }[];
    };
    assert.deepEqual(
      nodes.items.map(({ status }) => status.capacity.pods),
      ["20", "20"],
    );
    assert.match(await kubectl(["get", "service", "kubernetes"]), /10\.200\.0\.1 /);
  });

  test("is listed", async () => {
    assert.match(
      await ok(["list"]),
      /^NAME +STATUS +NODES +API +AGE +LAST END\nnetloom +running +2 +https:\/\/127\.0\.0\.1:\d+ +\d+s +-\n$/,
    );
    assert.equal(await ok(["list", "-o", "name"]), "netloom\n");
  });

  test("tells its nodes, processes and what the kernel holds", async () => {
    const status = JSON.parse(await ok(["status", "-o", "json"])) as Status;
    assert.deepEqual(
      status.processes.map(({ name }) => name),
      ["supervisor", "holder", "server", "agent-1"],
    );
    for (const { name, pid, startedAt, memoryBytes } of status.processes) {
      assert.ok(Date.parse(startedAt) <= Date.now() && memoryBytes > 100_000, `${name}: ${startedAt}, ${memoryBytes}`);
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      assert.match(
        line,
        name === "supervisor" ? /sh/ : new RegExp(name.split("-")[0] ?? ""),
        `${name} is process ${pid}`,
      );
    }
    for (const node of status.nodes) {
      assert.equal(node.status, "Ready");
      assert.ok(node.kernel.rules > 10 && node.kernel.routes > 1 && node.kernel.links > 1, JSON.stringify(node));
    }
    assert.equal(
      status.nodes.reduce((sum, { pods }) => sum + pods, 0),
      (await kubectl(["get", "pods", "-A", "-o", "name"])).trim().split("\n").length,
    );
    assert.deepEqual((parse(await ok(["status", "-o", "yaml"])) as Status).addresses, status.addresses);
    assert.match(await ok(["status", "-o", "wide"]), /RULES +ELEMENTS +ROUTES +LINKS +CONNECTIONS/);
  });

  test("shows the metrics of all its processes at one address", async () => {
    const { addresses } = JSON.parse(await ok(["status", "-o", "json"])) as Status;
    // The DNS pods' own come once they are Running.
    const page = await eventually(async () => {
      const text = await (await fetch(addresses.metrics)).text();
      assert.match(text, /^netloom_up\{process="coredns-\S+"\} 1$/m);
      return text;
    });
    for (const sample of [
      /^netloom_up\{process="server"\} 1$/m,
      /^apiserver_request_total\{process="server",/m,
      /^kubelet_running_pods\{process="agent-1"/m,
      /^kubeproxy_sync_proxy_rules_duration_seconds_count\{process="agent-1",node="node-2"\}/m,
      /^netloom_restarts_total\{process="holder",of="agent-1"\} 0$/m,
      /^coredns_build_info\{process="coredns-/m,
    ]) {
      assert.match(page, sample);
    }
    const types = [...page.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    assert.equal(new Set(types).size, types.length, "each family once");
  });

  test("gives a Service a port of this host, and takes it back", async () => {
    await kubectl(["run", "web", "--image=nginx", "--labels=app=web"]);
    await kubectl(["expose", "pod", "web", "--port=80", "--name=web"]);
    await kubectl(["wait", "--for=condition=Ready", "pod/web", "--timeout=30s"]);
    const port = `${await freePort()}`;
    assert.match(await ok(["expose", "service/web", port]), new RegExp(`^127\\.0\\.0\\.1:${port} -> service/web:80 `));
    await eventually(async () => assert.match(await (await fetch(`http://127.0.0.1:${port}/`)).text(), /nginx/));
    assert.match(
      await ok(["ports"]),
      new RegExp(`127\\.0\\.0\\.1:${port} +TCP +10\\.200\\.\\d+\\.\\d+:80 +default/web:80 +open`),
    );
    await ok(["expose", "service/web", port, "--remove"]);
    await eventually(async () => await assert.rejects(fetch(`http://127.0.0.1:${port}/`)));
  });

  const refusals: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [["expose", "service/none", "18080"], /services "none" not found/],
    [["expose", "pod/web", "18080"], /name a Service, such as service\/web/],
    [["expose", "service/web", "18080:81"], /it has no port "81"; choose one of 80/],
    [["expose", "service/web", "99999"], /Cannot use port "99999"/],
    [["expose", "service/web", "18080", "--remove"], /it is not exposed there/],
    [["logs", "cook"], /There is no component "cook": choose one of agent-1, audit, holder, server/],
    [["status", "--name", "other"], /There is no running cluster "other"/],
  ];
  for (const [args, message] of refusals) {
    test(`refuses netloom ${args.join(" ")}`, async () => {
      const { code, stderr } = await lab.netloom(args);
      assert.equal(code, 1);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n +at /, "no stack");
    });
  }

  test("tells which node is off", async () => {
    await ok(["node", "stop", "node-2"]);
    assert.match(await ok(["status", "-o", "wide"]), /^node-2 +Off /m);
    await ok(["node", "start", "node-2"]);
    assert.match(await ok(["status"]), /^node-2 +Ready /m);
  });

  test("shows events, and goes on with what happens", async () => {
    assert.match(await ok(["events"]), /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n/);
    assert.match(
      await ok(["events", "-n", "default"]),
      /Normal +Scheduled +Pod\/web +Successfully assigned default\/web to node-/,
    );
    const watched = follow(["events", "-w"]);
    await eventually(() => assert.match(watched.text(), /LAST SEEN/));
    await kubectl(["run", "later", "--image=busybox", "--restart=Never", "--", "true"]);
    await eventually(() => assert.match(watched.text(), /Scheduled +Pod\/later/));
    assert.equal(await watched.end(), 0);
    const rows = (await ok(["events", "--for", "po/later"])).trimEnd().split("\n").slice(1);
    assert.ok(rows.length > 0);
    for (const row of rows) assert.match(row, / Pod\/later /);
    assert.doesNotMatch(await ok(["events", "--types", "warning"]), / Normal /);
    const { code, stderr } = await lab.netloom(["events", "--for", "later"]);
    assert.equal(code, 1);
    assert.match(stderr, /Cannot look for events of "later": write KIND\/NAME, such as pod\/web/);
  });

  test("shows logs, the last lines of them, and goes on", async () => {
    assert.equal((await ok(["logs", "server", "--tail", "1"])).trimEnd().split("\n").length, 1);
    const followed = follow(["logs", "audit", "-f", "--tail", "0", "-o", "json"]);
    await eventually(async () => {
      await kubectl(["get", "configmaps", "-n", "kube-public"]);
      assert.match(followed.text(), /"requestURI":"\/api\/v1\/namespaces\/kube-public\/configmaps/);
    });
    assert.equal(await followed.end(), 0);
    for (const line of followed.text().trimEnd().split("\n")) {
      assert.equal((JSON.parse(line) as { kind: string }).kind, "Event");
    }
    assert.match(
      await ok(["logs", "audit", "--tail", "1"]),
      /^\S+Z INFO  audit    \S+ \w+ \/\S+ (\d+|Response\w+|Request\w+)\n$/,
    );
  });

  test("shows logs in the order of time, as text or as they are, and of them what is asked for", async () => {
    assert.match(await ok(["logs"]), /^\S+Z INFO  server   Serving the API port=\d+$/m);
    const lines = (await ok(["logs", "-o", "json"])).trimEnd().split("\n");
    const times = lines.map((line) => (JSON.parse(line) as { time: string }).time);
    assert.deepEqual(times, times.toSorted());
    assert.doesNotMatch(await ok(["logs", "--since", "1ms"]), /Serving the API/);
    assert.doesNotMatch(await ok(["logs", "--level", "warn"]), /Serving the API/);
    const { code, stderr } = await lab.netloom(["logs", "--level", "loud"]);
    assert.equal(code, 2);
    assert.match(stderr, /Allowed choices are debug, info, warn, error/);
  });

  test("writes a support bundle without a secret in it", async () => {
    await kubectl(["create", "secret", "generic", "login", "--from-literal=password=hunter2"]);
    await kubectl(["create", "configmap", "login", "--from-literal=password=hunter2"]);
    await kubectl(["run", "login", "--image=busybox", "--env=DB_PASSWORD=hunter2", "--", "sleep", "1000"]);
    const folder = join(lab.folder, "bundle");
    await ok(["export", "logs", folder]);
    for (const path of [
      "README.txt",
      "version.json",
      "doctor.txt",
      "status.yaml",
      "cluster.json",
      "logs/server.log",
      "logs/audit.log",
      "objects/secrets.yaml",
      "objects/pods.yaml",
      "network/node-1/ruleset.nft",
      "network/lan/network.yaml",
    ]) {
      assert.ok(existsSync(join(folder, path)), path);
    }
    assert.ok(!existsSync(join(folder, "incomplete.txt")));
    assert.match(readFileSync(join(folder, "network/node-1/ruleset.nft"), "utf8"), /default\/kubernetes/);
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    for (const file of files) {
      const text = readFileSync(join(file.parentPath, file.name), "utf8");
      assert.doesNotMatch(text, /hunter2|aHVudGVyMg|PRIVATE KEY/, file.name);
    }
    const again = await lab.netloom(["export", "logs", folder]);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /it is not empty/);
  });

  test("says where a support bundle cannot be, and chooses a place itself where none is given", async () => {
    const below = await lab.netloom(["export", "logs", "/proc/bundle"]);
    assert.equal(below.code, 1);
    assert.match(
      below.stderr,
      /Cannot write into "\/proc\/bundle": there is no such file or folder; name another folder/,
    );
    const chosen = /files and folders in (\S+);/.exec((await lab.netloom(["export", "logs"])).stderr)?.[1] ?? "";
    assert.ok(existsSync(join(chosen, "README.txt")), chosen);
    rmSync(chosen, { recursive: true });
  });
});

describe("a stopped cluster", () => {
  const stopped = makeLab();
  const file = (name: string): string => join(stopped.folder, "s/netloom/netloom", name);
  before(async () => {
    const up = await stopped.netloom(["up", "--nodes", "1"]);
    assert.equal(up.code, 0, up.stderr);
    await stopped.kubectl(["create", "configmap", "kept", "--from-literal=a=b"]);
    const stop = await stopped.netloom(["stop"]);
    assert.equal(stop.code, 0, stop.stderr);
  });
  after(async () => await stopped.end());

  test("is listed as such, and gives its logs and configuration", async () => {
    assert.match((await stopped.netloom(["list"])).stdout, /^netloom +stopped +1 /m);
    const folder = join(stopped.folder, "bundle");
    const answer = await stopped.netloom(["export", "logs", folder]);
    assert.equal(answer.code, 0, answer.stderr);
    assert.ok(existsSync(join(folder, "logs/server.log")) && existsSync(join(folder, "cluster.json")));
    assert.match(readFileSync(join(folder, "incomplete.txt"), "utf8"), /There is no running cluster/);
  });

  test("of a newer netloom is refused", async () => {
    const layout = readFileSync(file("layout.json"), "utf8");
    writeFileSync(file("layout.json"), '{"layout":1000}');
    const { code, stderr } = await stopped.netloom(["start"]);
    assert.equal(code, 1);
    assert.match(stderr, /a newer netloom made it \(layout 1000/);
    writeFileSync(file("layout.json"), layout);
  });

  test("of an older netloom is brought up to date and starts with its objects", async () => {
    const present = readFileSync(file("cluster.json"), "utf8");
    // What the first release wrote: IPv4 only, one address where there are lists now.
    const single = (_: string, name: string, value: string): string =>
      `"${name.endsWith("esses") ? name.slice(0, -2) : name.slice(0, -1)}": ${value}`;
    const older = (text: string): string => text.replaceAll(/"(\w+)": \[\s*("[\d./]+")\s*\]/g, single);
    const {
      maxPods: _,
      auditLog: __,
      network: ___,
      logLevel: ____,
      ...first
    } = JSON.parse(older(present)) as Record<string, unknown>;
    assert.equal(first["controlPlaneAddress"], "192.168.60.1");
    assert.equal(first["podCidr"], "10.244.0.0/16");
    writeFileSync(file("cluster.json"), JSON.stringify(first));
    writeFileSync(file("nodes.json"), older(readFileSync(file("nodes.json"), "utf8")));
    rmSync(file("layout.json"));
    assert.match((await stopped.netloom(["list"])).stdout, /^netloom +stopped +1 /m);
    const { code, stderr } = await stopped.netloom(["start"]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /layout 1 to 2/);
    assert.equal((await stopped.kubectl(["get", "configmap", "kept", "-o", "jsonpath={.data.a}"])).stdout, "b");
    const migrated = JSON.parse(readFileSync(file("cluster.json"), "utf8")) as { readonly apiPort: number };
    // Another program may have taken its port while it was stopped.
    assert.deepEqual(migrated, { ...(JSON.parse(present) as object), apiPort: migrated.apiPort });
  });
});

describe("a configuration file", () => {
  const other = makeLab();
  after(async () => await other.end());

  test("is refused with all its mistakes, their paths, and the likely names", async () => {
    mkdirSync(other.folder, { recursive: true });
    const file = join(other.folder, "bad.yaml");
    writeFileSync(
      file,
      "apiVersion: netloom.dev/v1\nkind: Cluster\nspec:\n  node: 3\n  podCIDR: 10.0.0.0/8\n  maxPods: many\n",
    );
    const answer = await other.netloom(["up", "-f", file]);
    assert.equal(answer.code, 1);
    for (const part of [
      `apiVersion: must be "netloom.dev/v1alpha1", not "netloom.dev/v1"`,
      'spec.node: unknown field; did you mean "nodes"?',
      'spec.podCIDR: unknown field; did you mean "podCidr"?',
      'spec.maxPods: must be a whole number from 1 to 253, not "many"',
    ]) {
      assert.ok(answer.stderr.includes(part), answer.stderr);
    }
  });

  test("is refused where its values do not fit together, in its own words", async () => {
    const file = join(other.folder, "overlap.yaml");
    writeFileSync(
      file,
      "apiVersion: netloom.dev/v1alpha1\nkind: Cluster\nspec:\n  podCidr: 10.96.0.0/16\n  ipFamily: ipv5\n",
    );
    const answer = await other.netloom(["up", "-f", file, "--max-pods", "1000"]);
    assert.equal(answer.code, 1);
    for (const part of ['spec.podCidr "10.96.0.0/16" overlaps', 'spec.ipFamily "ipv5"', '--max-pods "1000"']) {
      assert.ok(answer.stderr.includes(part), answer.stderr);
    }
    assert.deepEqual(await runningClusters(), 'No clusters: "netloom up" makes one\n');
  });

  const runningClusters = async (): Promise<string> => (await other.netloom(["list"])).stdout;

  test("netloom doctor finds a machine that can run clusters, in words and as data", async () => {
    const words = await other.netloom(["doctor"]);
    assert.equal(words.code, 0, words.stdout + words.stderr);
    assert.match(words.stdout, /^ok +kernel +nf_tables +tried: nat, /m);
    assert.match(words.stdout, /^A cluster can start here\.$/m);
    const data = JSON.parse((await other.netloom(["doctor", "-o", "json"])).stdout) as { isWell: boolean };
    assert.equal(data.isWell, true);
  });
});

/** A command that goes on until it is interrupted. */
function follow(args: readonly string[]): { text(): string; end(): Promise<Answer["code"]> } {
  const child = spawn(process.execPath, [join(root, "bin/netloom.mjs"), ...args], {
    env: lab.env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return {
    text: () => text,
    end: async () => {
      child.kill("SIGINT");
      const [code] = (await once(child, "close")) as [number | null];
      return code ?? 255;
    },
  };
}
