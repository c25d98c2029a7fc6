/**
 * The same cluster as an ordinary user, from an installed package: no root, no clone, another user's folders. Run by an
 * ordinary user this is what every cluster test does already; run by root, it becomes nobody.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually, kubectls } from "./lab/index.ts";
import { root } from "./lab/lab.ts";

const nobody = 65_534;
const isRoot = process.getuid?.() === 0;

describe("as an ordinary user", { skip: isRoot ? false : "every other cluster test does this already" }, () => {
  let folder: string;
  let env: Record<string, string>;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "nlr-"));
    chmodSync(folder, 0o755);
    installPackage(join(folder, "package"));
    const home = join(folder, "home");
    mkdirSync(home);
    copyTools(join(home, "data"));
    spawnSync("chown", ["-R", `${nobody}:${nobody}`, home]);
    env = {
      PATH: process.env["PATH"] ?? "",
      HOME: home,
      XDG_STATE_HOME: join(home, "s"),
      XDG_RUNTIME_DIR: join(home, "r"),
      XDG_DATA_HOME: join(home, "data"),
      KUBECONFIG: join(home, "kubeconfig"),
    };
    const up = netloom("up");
    assert.equal(up.status, 0, up.stderr);
  });
  after(() => {
    netloom("down");
    rmSync(folder, { recursive: true, force: true });
  });

  function asNobody(command: string, args: readonly string[]) {
    const become = [`--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups", "--"];
    return spawnSync("setpriv", [...become, command, ...args], { env, cwd: folder, encoding: "utf8" });
  }
  const netloom = (...args: readonly string[]) =>
    asNobody(join(folder, "package/node_modules", `node-linux-${process.arch}`, "bin/node"), [
      join(folder, "package/bin/netloom.mjs"),
      ...args,
    ]);
  function kubectl(...args: readonly string[]): string {
    const { status, stdout, stderr } = asNobody(kubectls().at(-1)?.path ?? "kubectl", args);
    assert.equal(status, 0, `kubectl ${args.join(" ")}\n${stderr}`);
    return stdout;
  }

  test("the cluster belongs to a user namespace, and its processes to the user", () => {
    const status = netloom("exec", "node-1", "--", "cat", "/proc/self/uid_map");
    assert.match(status.stdout, new RegExp(`^\\s+0\\s+${nobody}\\s+1$`, "m"), status.stderr);
  });

  test("pods run, find each other by name, and answer on a NodePort at the host's loopback", async () => {
    kubectl("run", "httpbin", "--image=kennethreitz/httpbin", "--labels=app=web");
    kubectl("run", "web-server", "--image=nginx", "--labels=app=nginx");
    kubectl("wait", "--for=condition=Ready", "pod/httpbin", "pod/web-server", "--timeout=30s");
    kubectl("expose", "pod", "web-server", "--name=web", "--port=80", "--type=NodePort");
    await eventually(() => assert.match(kubectl("exec", "httpbin", "--", "curl", "-sS", "web"), /Welcome to nginx/));
    const port = kubectl("get", "service", "web", "-o", "jsonpath={.spec.ports[0].nodePort}");
    const host = /127\.\d+\.0\.1$/m.exec(netloom("status").stdout)?.[0] ?? "";
    await eventually(() => {
      const curl = spawnSync("curl", ["-sS", "--max-time", "5", `${host}:${port}`], { encoding: "utf8" });
      assert.match(curl.stdout, /Welcome to nginx/, curl.stderr);
    });
    assert.match(kubectl("logs", "web-server"), /GET \/ HTTP/);
  });

  test("a container's user that is not mapped is refused with the reason", () => {
    const manifest = JSON.stringify({ spec: { securityContext: { runAsUser: 1234 } } });
    kubectl("run", "other", "--image=busybox", `--overrides=${manifest}`, "--command", "--", "sleep", "9");
    return eventually(() => assert.match(kubectl("describe", "pod", "other"), /1234.*(newuidmap|map)/s));
  });

  test("netloom down leaves nothing", async () => {
    const down = netloom("down");
    assert.equal(down.status, 0, down.stderr);
    await eventually(() => {
      assert.deepEqual(readdirSync(join(folder, "home/s/netloom")), []);
      assert.deepEqual(readdirSync(join(folder, "home/r/netloom")), []);
      assert.equal(existsSync(env["KUBECONFIG"] ?? ""), false);
    });
  });
});

/** The programs the set-up fetched for root, where it did. */
function copyTools(dataHome: string): void {
  const ofRoot = process.env["XDG_DATA_HOME"] ?? join(process.env["HOME"] ?? "/root", ".local/share");
  if (!existsSync(join(ofRoot, "netloom/tools"))) return;
  cpSync(join(ofRoot, "netloom/tools"), join(dataHome, "netloom/tools"), { recursive: true, verbatimSymlinks: true });
}

/** What `npm install netloom` would put there: the bundle, and the packages it does not contain. */
function installPackage(target: string): void {
  const built = spawnSync(process.execPath, [join(root, "scripts/build.ts")], { cwd: root, encoding: "utf8" });
  assert.equal(built.status, 0, built.stderr);
  const parts = ["package.json", "bin", "dist", "scripts/setup", "examples"];
  const packages = ["koffi", "@koromix", `node-linux-${process.arch}`];
  for (const part of [...parts, ...packages.map((name) => `node_modules/${name}`)]) {
    cpSync(join(root, part), join(target, part), { recursive: true });
  }
  spawnSync("chmod", ["-R", "go+rX", target]);
}
