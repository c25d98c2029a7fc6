/** Wrong input gets a clear error with the remedy, and nothing half-made is left. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Lab, machineState, makeLab } from "./lab/index.ts";
import { patience } from "../patience.ts";

describe("netloom up refuses", () => {
  let lab: Lab;
  before(() => (lab = makeLab()));
  after(async () => await lab.end());

  const cases: readonly (readonly [name: string, args: readonly string[], code: number, message: RegExp])[] = [
    [
      "overlapping ranges",
      ["--pod-cidr", "10.96.0.0/16"],
      1,
      /--pod-cidr "10\.96\.0\.0\/16" overlaps --service-cidr "10\.96\.0\.0\/12"/,
    ],
    [
      "a range that is none",
      ["--node-cidr", "10.0.0.0/33"],
      1,
      /--node-cidr: Cannot parse CIDR "10\.0\.0\.0\/33": the prefix exceeds 32/,
    ],
    ["a name that is none", ["--name", "My_Cluster"], 1, /--name "My_Cluster": use at most 30 lower-case letters/],
    ["too many nodes", ["--nodes", "1000"], 1, /--nodes "1000": use a whole number from 1 to 200/],
    ["a word for a number", ["--nodes", "three"], 1, /--nodes "three": use a whole number from 1 to 200/],
    [
      "an unknown option, with the likely one",
      ["--node", "3"],
      2,
      /unknown option '--node'\n\(Did you mean --nodes\?\)/,
    ],
    ["a duration that is none", ["--wait", "soon"], 1, /--wait "soon": use a duration such as "30s"/],
    [
      "all that is wrong at once",
      ["--nodes", "three", "--network", "ipip", "--max-pods", "0", "--ip-family", "ipv5"],
      1,
      /--nodes "three".*\n.*--ip-family "ipv5".*\n.*--max-pods "0".*\n.*--network "ipip"/,
    ],
  ];
  for (const [name, args, code, message] of cases) {
    test(name, async () => {
      const answer = await lab.netloom(["up", ...args]);
      assert.match(answer.stderr, message);
      assert.equal(answer.code, code);
      assert.deepEqual(machineState(lab.folder).processes, []);
      assert.deepEqual(readdirSync(lab.folder), []);
    });
  }

  test("names that lead out of its folders, for any command, and touches nothing there", async () => {
    const bystander = join(lab.folder, "bystander");
    mkdirSync(bystander);
    for (const command of ["down", "stop", "start", "up", "status", "logs"]) {
      for (const name of ["../../bystander", "..", ""]) {
        const answer = await lab.netloom([command, "--name", name]);
        assert.equal(answer.code, 1, command);
        assert.match(answer.stderr, /--name ".*": use at most 30 lower-case letters/);
      }
    }
    assert.deepEqual(readdirSync(lab.folder), ["bystander"]);
    rmdirSync(bystander);
  });

  test("a busy port", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    assert.ok(address !== null && typeof address === "object");
    const answer = await lab.netloom(["up", "--api-port", `${address.port}`]);
    server.close();
    assert.equal(answer.code, 1);
    assert.match(
      answer.stderr,
      new RegExp(`another program listens on 127\\.0\\.0\\.1:${address.port}; choose another port`),
    );
  });

  test("other settings for a cluster that runs", async () => {
    assert.equal((await lab.netloom(["up", "--nodes", "1"])).code, 0);
    const answer = await lab.netloom(["up", "--nodes", "2", "--max-pods", "7"]);
    assert.equal(answer.code, 1);
    assert.match(
      answer.stderr,
      /The cluster "netloom" runs already, and with another --nodes, --max-pods: use it as it is, without those options, or end it with "netloom down" first, or choose another --name; nodes come and go with "netloom node"/,
    );
    assert.equal((await lab.netloom(["down"])).code, 0);
  });

  test("what is left of a damaged cluster, which down removes", async () => {
    const folder = join(lab.folder, "s/netloom/netloom");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "cluster.json"), "{ half");
    const answer = await lab.netloom(["up"]);
    assert.equal(answer.code, 1);
    assert.match(
      answer.stderr,
      /holds what is left of a cluster "netloom" that does not run: remove it with "netloom down"/,
    );
    assert.equal((await lab.netloom(["down"])).code, 0);
    const again = await lab.netloom(["up", "--nodes", "1"]);
    assert.equal(again.code, 0, again.stderr);
    assert.equal((await lab.netloom(["down"])).code, 0);
  });

  test(
    "a state folder it cannot write to",
    { skip: process.getuid?.() === 0 ? "root may write everywhere" : false },
    async () => {
      const readOnly = join(lab.folder, "read-only");
      mkdirSync(readOnly);
      chmodSync(readOnly, 0o500);
      const answer = await lab.netloom(["up"], { env: { XDG_STATE_HOME: readOnly } });
      assert.equal(answer.code, 1);
      assert.match(answer.stderr, /Cannot use the folder .*set XDG_STATE_HOME/);
    },
  );
});

describe("kubectl is told what is wrong", () => {
  let lab: Lab;
  before(async () => {
    lab = makeLab();
    const up = await lab.netloom(["up", "--nodes", "1"]);
    assert.equal(up.code, 0, up.stderr);
  });
  after(async () => await lab.end());

  const service = (spec: string): string => `apiVersion: v1\nkind: Service\nmetadata:\n  name: wrong\nspec:\n${spec}`;
  const cases: readonly (readonly [name: string, manifest: string, message: RegExp])[] = [
    [
      "a port out of range",
      service("  ports:\n  - port: 70000\n"),
      /The Service "wrong" is invalid: \n\* spec\.ports\[0\]\.port: Invalid value: 70000: must be between 1 and 65535, inclusive\n/,
    ],
    [
      "a node port out of range",
      service("  type: NodePort\n  ports:\n  - port: 80\n    nodePort: 80\n"),
      /spec\.ports\[0\]\.nodePort: Invalid value: 80: provided port is not in the valid range\. The range of valid ports is 30000-32767/,
    ],
    [
      "an unknown field, with its path",
      service("  ports:\n  - port: 80\n    targetport: 8080\n"),
      /unknown field "spec\.ports\[0\]\.targetport"/,
    ],
    ["a YAML typo", "apiVersion: v1\nkind: Service\nmetadata:\n  name: [wrong\n", /error (parsing|converting YAML)/],
  ];
  for (const [name, manifest, message] of cases) {
    test(name, async () => {
      const answer = await lab.kubectl(["create", "-f", "-"], { input: manifest });
      assert.notEqual(answer.code, 0);
      assert.match(answer.stderr, message);
    });
  }

  test("a node port that is taken", async () => {
    const manifest = (name: string): string =>
      `apiVersion: v1\nkind: Service\nmetadata:\n  name: ${name}\nspec:\n  type: NodePort\n  ports:\n  - port: 80\n    nodePort: 31000\n`;
    assert.equal((await lab.kubectl(["create", "-f", "-"], { input: manifest("one") })).code, 0);
    const answer = await lab.kubectl(["create", "-f", "-"], { input: manifest("two") });
    assert.match(answer.stderr, /spec\.ports\[0\]\.nodePort: Invalid value: 31000: provided port is already allocated/);
  });

  test("an image the catalog lacks, in upstream's states and with the remedy", async () => {
    await lab.kubectl(["run", "unknown", "--image=example.com/nope:1"]);
    const deadline = performance.now() + 20_000 * patience;
    let events = "";
    while (!/ErrImagePull/.test(events) && performance.now() < deadline) {
      events = (await lab.kubectl(["describe", "pod", "unknown"])).stdout;
    }
    assert.match(events, /Failed to pull image "example\.com\/nope:1": .*netloom image load/);
    const pods = await lab.kubectl(["get", "pod", "unknown"]);
    assert.match(pods.stdout, /ErrImagePull|ImagePullBackOff/);
  });
});
