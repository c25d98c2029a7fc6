/** Every kubectl of this machine, from 1.20 on: what it reads, writes and streams. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually, kubectls, makeLab } from "./lab/index.ts";
import { patience } from "../patience.ts";

const lab = makeLab();
const scratch = mkdtempSync(join(tmpdir(), "nlk-"));
const all = kubectls();

before(async () => {
  assert.notEqual(all.length, 0, 'there is no kubectl on this machine: "npm start" fetches one');
  const up = await lab.netloom(["up", "--nodes", "2"]);
  assert.equal(up.code, 0, up.stderr);
  const run = await lab.kubectl(["run", "target", "--image=kennethreitz/httpbin", "--port=80"]);
  assert.equal(run.code, 0, run.stderr);
  const wait = await lab.kubectl(["wait", "--for=condition=Ready", "pod/target", "--timeout=30s"]);
  assert.equal(wait.code, 0, wait.stderr);
});
after(async () => {
  await lab.end();
  rmSync(scratch, { recursive: true, force: true });
});

test("the oldest supported kubectl is among those tested", { skip: process.env["NETLOOM_CI"] === undefined }, () => {
  assert.equal(all[0]?.version, "1.20", `found only ${all.map(({ version }) => version).join(", ")}`);
});

for (const { version, path } of all) {
  describe(`kubectl ${version}`, () => {
    const name = `v${version.replace(".", "-")}`;
    const kubectl = async (args: readonly string[], input?: string) =>
      await lab.kubectl(args, { kubectl: path, ...(input === undefined ? {} : { input }) });
    const succeed = async (args: readonly string[], input?: string): Promise<string> => {
      const { code, stdout, stderr } = await kubectl(args, input);
      assert.equal(code, 0, `kubectl ${args.join(" ")}\n${stdout}${stderr}`);
      return stdout;
    };

    test("creates with validation, describes, explains, lists, patches, applies and deletes", async () => {
      const manifest = `apiVersion: v1\nkind: Service\nmetadata:\n  name: ${name}\nspec:\n  selector:\n    app: ${name}\n  ports:\n  - port: 80\n`;
      assert.equal(await succeed(["create", "--save-config", "-f", "-"], manifest), `service/${name} created\n`);
      assert.match(await succeed(["describe", "service", name]), /^Type: +ClusterIP$/m);
      assert.match(await succeed(["explain", "service.spec"]), /clusterIP/);
      assert.match(await succeed(["api-resources"]), /^deployments +deploy +apps\/v1 +true +Deployment$/m);
      await succeed(["label", "service", name, "tier=web"]);
      await succeed(["annotate", "service", name, "note=x"]);
      await succeed(["patch", "service", name, "-p", '{"spec":{"ports":[{"port":80,"targetPort":8080}]}}']);
      assert.match(await succeed(["get", "service", name, "-o", "yaml"]), /targetPort: 8080/);
      assert.match(await succeed(["get", "services", "-l", "tier=web"]), new RegExp(`^${name} `, "m"));
      await succeed(["apply", "-f", "-"], manifest.replace("port: 80", "port: 81"));
      assert.match(await succeed(["get", "service", name]), /81\/TCP/);
      assert.match(await succeed(["delete", "service", name]), new RegExp(`^service "${name}" deleted`));
    });

    test("refuses an unknown field with its path", async () => {
      const manifest = `apiVersion: v1\nkind: Service\nmetadata:\n  name: ${name}-typo\nspec:\n  ports:\n  - port: 80\n    prt: 1\n`;
      const { code, stderr } = await kubectl(["create", "-f", "-"], manifest);
      assert.equal(code, 1);
      assert.match(stderr, /unknown field "(spec\.ports\[0\]\.)?prt"/);
    });

    test("creates a deployment, scales it, and follows its roll-out", async () => {
      await succeed(["create", "deployment", name, "--image=busybox", "--", "sleep", "1000"]);
      await succeed(["scale", "deployment", name, "--replicas=2"]);
      assert.match(
        await succeed(["rollout", "status", "deployment", name, "--timeout=60s"]),
        /successfully rolled out/,
      );
      assert.match(await succeed(["get", "deployment", name]), new RegExp(`^${name} +2/2 +2 +2 `, "m"));
      await succeed(["delete", "deployment", name]);
    });

    test("executes with input, separate streams and the exit code", async () => {
      assert.equal(await succeed(["exec", "-i", "target", "--", "cat"], "through\n"), "through\n");
      const failed = await kubectl(["exec", "target", "--", "sh", "-c", "echo out; echo err >&2; exit 7"]);
      assert.equal(failed.stdout, "out\n");
      assert.match(failed.stderr, /^err$/m);
      assert.match(failed.stderr, /command terminated with exit code 7/);
      assert.equal(failed.code, 7);
    });

    test("moves a megabyte through exec unharmed", async () => {
      const bytes = "0123456789abcdef".repeat(65_536);
      assert.equal(await succeed(["exec", "-i", "target", "--", "cat"], bytes), bytes);
    });

    test("reads and follows logs", async () => {
      await succeed([
        "run",
        `${name}-log`,
        "--image=busybox",
        "--restart=Never",
        "--",
        "sh",
        "-c",
        "echo one; sleep 0.3; echo two",
      ]);
      await eventually(async () => assert.equal(await succeed(["logs", "-f", `${name}-log`]), "one\ntwo\n"));
      assert.equal(await succeed(["logs", "--tail=1", `${name}-log`]), "two\n");
      assert.match(await succeed(["logs", "--timestamps", `${name}-log`]), /^\d{4}-\d\d-\d\dT\S+ one$/m);
      await succeed(["delete", "pod", `${name}-log`, "--now"]);
    });

    test("attaches to a running process", async () => {
      await succeed(
        ["run", `${name}-attach`, "--image=busybox", "--restart=Never", "-i", "--quiet", "--", "cat"],
        "kept\n",
      );
      assert.equal(await succeed(["logs", `${name}-attach`]), "kept\n");
      await succeed(["delete", "pod", `${name}-attach`, "--now"]);
    });

    test("copies files both ways", async () => {
      const file = join(scratch, `${name}.txt`);
      writeFileSync(file, "copied\n");
      await succeed(["cp", file, `target:/tmp/${name}.txt`]);
      await succeed(["cp", `target:/tmp/${name}.txt`, `${file}.back`]);
      assert.equal(readFileSync(`${file}.back`, "utf8"), "copied\n");
    });

    test("forwards a port", async () => {
      const forward = spawn(path, ["port-forward", "pod/target", ":80"], {
        env: lab.env,
        stdio: ["ignore", "pipe", "pipe"],
      });
      try {
        const [line] = (await once(forward.stdout, "data", { signal: AbortSignal.timeout(10_000 * patience) })) as [
          Buffer,
        ];
        const port = /127\.0\.0\.1:(\d+)/.exec(line.toString())?.[1];
        assert.ok(port !== undefined, line.toString());
        for (let request = 0; request < 3; request += 1) {
          const answer = await fetch(`http://127.0.0.1:${port}/get`);
          assert.equal(answer.status, 200);
          await answer.text();
        }
      } finally {
        forward.kill();
        await once(forward, "close");
      }
    });
  });
}
