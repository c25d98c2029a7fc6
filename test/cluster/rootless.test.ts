/**
 * The same cluster as an ordinary user, from an installed package: no root, no clone, another user's folders. Run by an
 * ordinary user this is what every cluster test does already; run by root, it becomes nobody.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually, kubectls } from "./lab/index.ts";
import { makeNobodysLab, nobody, type NobodysLab } from "./lab/as-nobody.ts";

const isRoot = process.getuid?.() === 0;

describe("as an ordinary user", { skip: isRoot ? false : "every other cluster test does this already" }, () => {
  let lab: NobodysLab;

  before(() => {
    lab = makeNobodysLab();
    const up = netloom("up");
    assert.equal(up.status, 0, up.stderr);
  });
  after(() => {
    netloom("down");
    lab.remove();
  });

  const netloom = (...args: readonly string[]) => lab.netloom(args);
  function kubectl(...args: readonly string[]): string {
    const { status, stdout, stderr } = lab.run(kubectls().at(-1)?.path ?? "kubectl", args);
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
      assert.deepEqual(readdirSync(join(lab.folder, "home/s/netloom")), []);
      assert.deepEqual(readdirSync(join(lab.folder, "home/r/netloom")), []);
      assert.equal(existsSync(lab.env["KUBECONFIG"] ?? ""), false);
    });
  });
});
