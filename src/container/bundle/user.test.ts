import assert from "node:assert/strict";
import { test } from "node:test";
import { assert as assertProperty, property, string } from "fast-check";
import { ContainerError } from "../errors.ts";
import { resolveUser } from "./user.ts";

const passwd = "root:x:0:0:root:/root:/bin/sh\nweb:x:101:102:Web:/srv/web:/bin/false\nbroken\n";
const group = "root:x:0:\nweb:x:102:\nlogs:x:4:web,other\nvideo:x:44:other\n";
const resolve = (ofImage: string, asked?: Parameters<typeof resolveUser>[0]["asked"]) =>
  resolveUser({ asked, ofImage, passwd, group });

test("resolveUser() reads the image's user by name, number and group", () => {
  assert.deepEqual(resolve(""), { uid: 0, gid: 0, supplementalGroups: [], home: "/root" });
  const web = { uid: 101, gid: 102, supplementalGroups: [4], home: "/srv/web" };
  assert.deepEqual(resolve("web"), web);
  assert.deepEqual(resolve("101"), web);
  assert.deepEqual(resolve("web:logs"), { ...web, gid: 4, supplementalGroups: [] });
  assert.deepEqual(resolve("1000:1000"), { uid: 1000, gid: 1000, supplementalGroups: [], home: "/" });
});

test("resolveUser() lets the pod decide", () => {
  const asked = { uid: 101, gid: undefined, supplementalGroups: [2000, 4] };
  assert.deepEqual(resolve("0", asked), { uid: 101, gid: 102, supplementalGroups: [4, 2000], home: "/srv/web" });
  assert.equal(resolve("0", { ...asked, gid: 5 }).gid, 5);
});

test("resolveUser() refuses names that are in no file", () => {
  assert.throws(() => resolve("nobody"), /unable to find user nobody: no matching entries in passwd file/);
  assert.throws(() => resolve("web:nobody"), /unable to find group nobody: no matching entries in group file/);
});

test("resolveUser() survives any file", () => {
  assertProperty(
    property(string(), string(), string(), (user, anyPasswd, anyGroup) => {
      try {
        const found = resolveUser({ asked: undefined, ofImage: user, passwd: anyPasswd, group: anyGroup });
        assert.ok(Number.isInteger(found.uid) && Number.isInteger(found.gid));
      } catch (error) {
        assert.ok(error instanceof ContainerError, String(error));
      }
    }),
  );
});
