import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { KubeconfigError, kubeconfigText, readKubeconfig } from "./index.ts";

const identity = {
  server: "https://127.0.0.1:6443",
  ca: "the ca\n",
  certificate: "the certificate\n",
  key: "the key\n",
};
const text = kubeconfigText({ cluster: 'a "b"', user: "kubernetes-admin", ...identity });

async function read(content: string): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), "nl-kubeconfig-"));
  const path = join(folder, "config");
  writeFileSync(path, content);
  try {
    return await readKubeconfig(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("readKubeconfig() reads what kubeconfigText() writes, and the same from any other form of it", async () => {
  const wanted = { ...identity, namespace: "default", skipsVerification: false };
  assert.deepEqual(await read(text), wanted);
  // A comment makes it a file of somebody else's.
  assert.deepEqual(await read(`# mine\n${text}`), wanted);
});

test("readKubeconfig() refuses a file without the context it calls current", async () => {
  await assert.rejects(
    read(`# mine\n${text.replace(/current-context: .*/, "current-context: other")}`),
    KubeconfigError,
  );
  await assert.rejects(read("{"), KubeconfigError);
});
