import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { currentContext, KubeconfigError, kubeconfigPath, mergeContext, removeContext } from "./kubeconfig-file.ts";

const credentials = {
  server: "https://127.0.0.1:6443",
  certificateAuthority: "ca",
  clientCertificate: "cert",
  clientKey: "key",
};

function inFolder(work: (path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "netloom-kubeconfig-"));
  try {
    work(join(folder, "nested/config"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("mergeContext() makes a file, removeContext() removes it again", () => {
  inFolder((path) => {
    assert.equal(currentContext(path), undefined);
    mergeContext(path, "netloom", credentials);
    const merged: unknown = parse(readFileSync(path, "utf8"));
    assert.deepEqual(merged, {
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        {
          name: "netloom",
          cluster: { server: credentials.server, "certificate-authority-data": Buffer.from("ca").toString("base64") },
        },
      ],
      users: [
        {
          name: "netloom",
          user: {
            "client-certificate-data": Buffer.from("cert").toString("base64"),
            "client-key-data": Buffer.from("key").toString("base64"),
          },
        },
      ],
      contexts: [{ name: "netloom", context: { cluster: "netloom", user: "netloom" } }],
      "current-context": "netloom",
    });
    removeContext(path, "netloom", undefined);
    assert.equal(existsSync(path), false);
  });
});

test("mergeContext() and removeContext() leave a user's own entries, comments and context as they were", () => {
  inFolder((path) => {
    mergeContext(path, "other", credentials);
    const before = `# my clusters\n${readFileSync(path, "utf8")}`;
    writeFileSync(path, before);
    assert.equal(currentContext(path), "other");
    mergeContext(path, "netloom", credentials);
    assert.equal(currentContext(path), "netloom");
    mergeContext(path, "netloom", credentials);
    removeContext(path, "netloom", "other");
    assert.equal(readFileSync(path, "utf8"), before);
  });
});

test("removeContext() does not restore a context that is gone", () => {
  inFolder((path) => {
    mergeContext(path, "other", credentials);
    mergeContext(path, "netloom", credentials);
    removeContext(path, "netloom", "vanished");
    assert.equal((parse(readFileSync(path, "utf8")) as Record<string, unknown>)["current-context"], "");
  });
});

test("mergeContext() refuses a broken file and leaves it alone", () => {
  inFolder((path) => {
    mergeContext(path, "x", credentials);
    writeFileSync(path, "a: [unclosed");
    assert.throws(() => mergeContext(path, "netloom", credentials), KubeconfigError);
    assert.equal(readFileSync(path, "utf8"), "a: [unclosed");
  });
});

test("mergeContext() takes over the lock and the half-written file of a netloom that was killed, and waits for others", () => {
  inFolder((path) => {
    mergeContext(path, "other", credentials);
    const ended = spawnSync(process.execPath, ["-e", ""]).pid;
    symlinkSync(`netloom:${hostname()}:${ended}:1`, `${path}.lock`);
    writeFileSync(`${path}.netloom.tmp`, "apiVersion: v");
    mergeContext(path, "netloom", credentials);
    assert.equal(currentContext(path), "netloom");
    assert.deepEqual(readdirSync(dirname(path)), ["config"]);
    for (const lockOfAnother of [
      () => writeFileSync(`${path}.lock`, ""),
      () => symlinkSync(`netloom:another-host:${ended}:1`, `${path}.lock`),
    ]) {
      lockOfAnother();
      assert.throws(() => mergeContext(path, "third", credentials), /another program holds/);
      unlinkSync(`${path}.lock`);
    }
  });
});

test("removeContext() removes what a killed netloom left of a file that it was about to make", () => {
  inFolder((path) => {
    const ended = spawnSync(process.execPath, ["-e", ""]).pid;
    mkdirSync(dirname(path));
    symlinkSync(`netloom:${hostname()}:${ended}:1`, `${path}.lock`);
    writeFileSync(`${path}.netloom.tmp`, "apiVersion: v");
    removeContext(path, "netloom", undefined);
    assert.deepEqual(readdirSync(dirname(path)), []);
  });
});

test("kubeconfigPath() follows kubectl's order", () => {
  assert.equal(kubeconfigPath("/x", { KUBECONFIG: "/a:/b" }), "/x");
  assert.equal(kubeconfigPath(undefined, { KUBECONFIG: ":/a:/b" }), "/a");
  assert.match(kubeconfigPath(undefined, {}), /\/\.kube\/config$/);
});

test("mergeContext() and currentContext() refuse a folder, and what cannot be made, in words that name the remedy", () => {
  inFolder((path) => {
    mkdirSync(path, { recursive: true });
    for (const impossible of [path, "/proc/netloom/config"]) {
      assert.throws(
        () => {
          currentContext(impossible);
          mergeContext(impossible, "netloom", credentials);
        },
        (error) => error instanceof KubeconfigError && error.message.endsWith("name another file with --kubeconfig"),
      );
    }
  });
});
