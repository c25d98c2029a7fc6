/** A cluster that is started with other users than it was made with, or by somebody else: it says so, and what to do. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { makeNobodysLab, type NobodysLab } from "./lab/as-nobody.ts";

const isRoot = process.getuid?.() === 0;
const hasNewuidmap = existsSync("/usr/bin/newuidmap");
const ids = { subIds: "nobody:300000:65536" };
const otherIds = { subIds: "nobody:400000:65536" };

describe("a cluster and its users", { skip: isRoot ? false : "root can become another user" }, () => {
  let lab: NobodysLab;
  before(() => (lab = makeNobodysLab()));
  after(() => lab.remove());
  afterEach(() => {
    lab.netloom(["down"], ids);
    lab.netloom(["down"], { isRoot: true });
  });

  const ok = (args: readonly string[], options?: Parameters<NobodysLab["netloom"]>[1]): string => {
    const { status, stdout, stderr } = lab.netloom(args, options);
    assert.equal(status, 0, `netloom ${args.join(" ")}\n${stderr}`);
    return `${stdout}${stderr}`;
  };
  const refused = (args: readonly string[], options?: Parameters<NobodysLab["netloom"]>[1]): string => {
    const { status, stderr } = lab.netloom(args, options);
    assert.equal(status, 1, stderr);
    assert.doesNotMatch(stderr, /\n +at /, "no stack");
    return stderr;
  };
  const usersOf = (): string =>
    readFileSync(join(lab.env["XDG_STATE_HOME"] ?? "", "netloom/netloom/users.json"), "utf8");

  test("made with ids of /etc/subuid, it starts with these only", { skip: !hasNewuidmap }, () => {
    ok(["up", "--nodes", "1"], ids);
    ok(["stop"], ids);
    const made = usersOf();
    assert.match(
      refused(["start"]),
      /its files belong to the ids 300000-36553[45] .*newuidmap maps none now; put them back/,
    );
    assert.match(refused(["up"], otherIds), /300000-36553[45] .*and now these are 400000-46553[45]; put them back/);
    assert.equal(usersOf(), made);
    ok(["start"], ids);
    assert.match(ok(["exec", "node-1", "--", "cat", "/proc/self/uid_map"], ids), /^ *1 +300000 +6553[56]$/m);
  });

  test("made with root alone, it keeps to that when there are more, and says so", { skip: !hasNewuidmap }, () => {
    ok(["up", "--nodes", "1"]);
    ok(["stop"]);
    assert.match(ok(["start"], ids), /was made with root as its only user, and keeps that; for further users end it/);
    assert.equal(ok(["exec", "node-1", "--", "cat", "/proc/self/uid_map"], ids).trim().split("\n").length, 1);
  });

  test("made by a user, it is not root's to start", () => {
    ok(["up", "--nodes", "1"]);
    ok(["stop"]);
    const message = /its folder ".*" belongs to nobody; run netloom as nobody, without sudo/;
    assert.match(refused(["start"], { isRoot: true }), message);
    assert.match(refused(["up"], { isRoot: true }), message);
    ok(["start"]);
    ok(["down"], { isRoot: true });
  });

  test("made by root, it is nobody else's to start or to end", () => {
    ok(["up", "--nodes", "1"], { isRoot: true });
    const message =
      /"netloom": its folder ".*" belongs to root; run netloom as root, or set XDG_STATE_HOME to a folder of/;
    for (const args of [["up"], ["start"], ["stop"], ["down"]]) assert.match(refused(args), message);
    ok(["stop"], { isRoot: true });
    assert.match(refused(["start"]), message);
    ok(["down"], { isRoot: true });
  });
});
