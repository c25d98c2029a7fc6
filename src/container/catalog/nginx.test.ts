import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { nginx } from "./nginx.ts";

test("nginx listens at IPv6 only where the kernel knows it", (t) => {
  const listens = (hasIpv6: boolean): readonly string[] => {
    const folder = mkdtempSync(join(tmpdir(), "netloom-nginx-"));
    t.after(() => rmSync(folder, { recursive: true }));
    nginx.makeLayer(folder, { toolsDir: "/nonexistent", isRootless: false, hasIpv6 });
    const text = readFileSync(join(folder, "etc/nginx/conf.d/default.conf"), "utf8");
    return [...text.matchAll(/listen (.*);/g)].map(([, place = ""]) => place);
  };
  assert.deepEqual(listens(true), ["80", "[::]:80"]);
  assert.deepEqual(listens(false), ["80"]);
});
