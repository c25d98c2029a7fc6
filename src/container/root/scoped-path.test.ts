import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { array, assert as assertProperty, constantFrom, property } from "fast-check";
import { readInRoot, resolveInRoot } from "./scoped-path.ts";

function withRoot(work: (root: string) => void): void {
  const root = mkdtempSync(join(tmpdir(), "netloom-root-"));
  try {
    mkdirSync(join(root, "etc"));
    mkdirSync(join(root, "a/b"), { recursive: true });
    writeFileSync(join(root, "etc/passwd"), "inside");
    symlinkSync("/etc", join(root, "a/absolute"));
    symlinkSync("../../../../../../etc", join(root, "a/climbing"));
    symlinkSync("loop", join(root, "a/loop"));
    symlinkSync("/", join(root, "a/top"));
    work(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

test("resolveInRoot() follows links as a process chrooted there would", () => {
  withRoot((root) => {
    const paths: Readonly<Record<string, string>> = {
      "/etc/passwd": "/etc/passwd",
      "a/absolute/passwd": "/etc/passwd",
      "/a/climbing/passwd": "/etc/passwd",
      "../../etc": "/etc",
      "/a/b/../top/a/./b": "/a/b",
      "/missing/x/..": "/missing",
      "/": "",
    };
    for (const [given, found] of Object.entries(paths)) {
      assert.equal(resolveInRoot(root, given), found === "" ? root : `${root}${found}`, given);
    }
  });
});

test("resolveInRoot() ends on a loop, readInRoot() on what is no file", () => {
  withRoot((root) => {
    assert.throws(() => resolveInRoot(root, "/a/loop"), /too many symbolic links/);
    assert.equal(readInRoot(root, "/a/climbing/passwd"), "inside");
    assert.equal(readInRoot(root, "/etc/shadow"), "");
    assert.equal(readInRoot(root, "/etc"), "");
    assert.equal(readInRoot(root, "/etc/passwd/x"), "");
  });
});

test("resolveInRoot() never leaves the root", () => {
  withRoot((root) => {
    const part = constantFrom("..", ".", "a", "b", "etc", "absolute", "climbing", "top", "");
    assertProperty(
      property(array(part, { maxLength: 12 }), (parts) => {
        const found = resolveInRoot(root, parts.join("/"));
        assert.ok(found === root || found.startsWith(`${root}/`), found);
      }),
    );
  });
});
