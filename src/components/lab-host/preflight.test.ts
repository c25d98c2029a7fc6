import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import { checkFamilies, chooseApiPort, chooseLoopbackIndex, namespaceRemedy, PreflightError } from "./preflight.ts";

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

test("chooseApiPort() and chooseLoopbackIndex() give a choice away once, until it is released", async () => {
  const ports = await Promise.all([chooseApiPort(undefined), chooseApiPort(undefined), chooseApiPort(undefined)]);
  assert.equal(new Set(ports.map(({ value }) => value)).size, 3);
  const indexes = await Promise.all([chooseLoopbackIndex(), chooseLoopbackIndex(), chooseLoopbackIndex(60)]);
  assert.equal(new Set(indexes.map(({ value }) => value)).size, 3);
  for (const reservation of [...ports, ...indexes]) reservation.release();
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  await new Promise((resolve) => server.close(resolve));
  const wanted = await chooseApiPort(address.port);
  await assert.rejects(chooseApiPort(address.port), PreflightError);
  wanted.release();
  const again = await chooseApiPort(address.port);
  assert.equal(again.value, address.port);
  again.release();
});

test("checkFamilies() refuses IPv6 addresses on a kernel without IPv6, and nothing else", () => {
  assert.throws(() => checkFamilies(["IPv4", "IPv6"], false), /Cannot give the cluster IPv6 addresses.*ipv6.disable=1/);
  checkFamilies(["IPv4"], false);
  checkFamilies(["IPv6"], true);
});
