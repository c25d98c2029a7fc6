import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { agreeOnUsers, type ClusterUsers, readUsers, recordUsers } from "./cluster-users.ts";

const machine: ClusterUsers = { kind: "machine" };
const rootOnly: ClusterUsers = { kind: "root-only" };
const range = (first: number): ClusterUsers => {
  const map = `         0       1000          1\n         1     ${first}      65536\n`;
  return { kind: "range", uidMap: map, gidMap: map };
};

describe("agreeOnUsers()", () => {
  test("takes what is there for a cluster that is new, and for one whose users are the same", () => {
    for (const users of [machine, rootOnly, range(100_000)]) {
      assert.deepEqual(agreeOnUsers("netloom", undefined, users), { users });
      assert.deepEqual(agreeOnUsers("netloom", users, users), { users });
    }
  });

  test("tells the same ids whatever the kernel's spaces", () => {
    const tight: ClusterUsers = { kind: "range", uidMap: "0 1000 1\n1 100000 65536", gidMap: "0 7 1\n1 100000 65536" };
    assert.deepEqual(agreeOnUsers("netloom", range(100_000), tight), { users: tight });
  });

  test("keeps root alone where more users are there now, and says so", () => {
    for (const present of [machine, range(100_000)]) {
      const { users, note } = agreeOnUsers("netloom", rootOnly, present);
      assert.deepEqual(users, rootOnly);
      assert.match(
        note ?? "",
        /^The cluster "netloom" was made with root as its only user, and keeps that; for further/,
      );
    }
  });

  const refusals: readonly (readonly [string, ClusterUsers, ClusterUsers, RegExp])[] = [
    [
      "root's cluster to a user",
      machine,
      rootOnly,
      /"netloom": root made it.*; start it as root with all capabilities/,
    ],
    ["root's cluster to a user with ids", machine, range(100_000), /root made it/],
    [
      "ids that are gone",
      range(100_000),
      rootOnly,
      /the ids 100000-165535 .*, and newuidmap maps none now; put them back/,
    ],
    ["ids that are others now", range(100_000), range(200_000), /100000-165535 .* now these are 200000-265535; put/],
    ["ids to root", range(100_000), machine, /machine's users; start it as it was made, without those capabilities/],
  ];
  for (const [what, made, present, message] of refusals) {
    test(`refuses ${what}, with the remedy`, () => {
      assert.throws(() => agreeOnUsers("netloom", made, present), { code: "ClusterUsersDiffer", message });
    });
  }
});

test("readUsers() gives what recordUsers() wrote, and nothing where the file is missing or damaged", () => {
  const folder = mkdtempSync(join(tmpdir(), "nl-users-"));
  try {
    assert.equal(readUsers(folder), undefined);
    recordUsers(folder, range(1));
    assert.deepEqual(readUsers(folder), range(1));
    for (const text of ["{", "{}", "null", '{"kind":"other"}']) {
      writeFileSync(join(folder, "users.json"), text);
      assert.equal(readUsers(folder), undefined);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
