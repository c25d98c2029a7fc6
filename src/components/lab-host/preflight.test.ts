import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import { checkFamilies, chooseApiPort, namespaceRemedy, PreflightError } from "./preflight.ts";

const only = (name: string, value: string) => (asked: string) => (asked === name ? value : "");

test("namespaceRemedy() names the setting that forbids user namespaces", () => {
  assert.match(
    namespaceRemedy(only("kernel/apparmor_restrict_unprivileged_userns", "1")),
    /AppArmor.*sysctl kernel\.apparmor/,
  );
  assert.match(namespaceRemedy(only("kernel/unprivileged_userns_clone", "0")), /unprivileged_userns_clone=1/);
  assert.match(namespaceRemedy(only("user/max_user_namespaces", "0")), /max_user_namespaces=15000/);
  assert.match(
    namespaceRemedy(() => ""),
    /as root/,
  );
});

test("chooseApiPort() refuses a busy port and names it", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  await assert.rejects(chooseApiPort(address.port), (error: unknown) => {
    assert.ok(error instanceof PreflightError);
    assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${address.port}`));
    return true;
  });
  server.close();
});

test("checkFamilies() refuses IPv6 addresses on a kernel without IPv6, and nothing else", () => {
  assert.throws(() => checkFamilies(["IPv4", "IPv6"], false), /Cannot give the cluster IPv6 addresses.*ipv6.disable=1/);
  checkFamilies(["IPv4"], false);
  checkFamilies(["IPv6"], true);
});
