import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { inClusterKubeconfig, KubeconfigError } from "./index.ts";

test("inClusterKubeconfig() reads the environment and the mounted files, anew each time", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "netloom-service-account-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const write = (name: string, text: string): void => writeFileSync(join(dir, name), text);
  write("ca.crt", "CA");
  write("token", "first\n");
  write("namespace", "kube-system");
  const environment = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "443" };
  assert.deepEqual(inClusterKubeconfig({ environment, dir }), {
    server: "https://[fd00::1]:443",
    ca: "CA",
    token: "first",
    namespace: "kube-system",
    skipsVerification: false,
  });
  write("token", "second");
  assert.equal(inClusterKubeconfig({ environment, dir }).token, "second");
});

test("inClusterKubeconfig() says what is missing outside of a pod", () => {
  assert.throws(() => inClusterKubeconfig({ environment: {} }), /KUBERNETES_SERVICE_HOST.* not set/);
  const environment = { KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443" };
  assert.throws(() => inClusterKubeconfig({ environment, dir: "/nowhere" }), KubeconfigError);
});
