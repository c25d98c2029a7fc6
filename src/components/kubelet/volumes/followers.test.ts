import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConfigMap, Pod } from "../../../api/generated/types.ts";
import { resources } from "../../../api/resources.ts";
import { createFakeApiClient } from "../../../client/index.ts";
import { FakeClock } from "../../../machinery/fake-clock.ts";
import { silentLogger } from "../../../machinery/log.ts";
import { createClusterObjects } from "../objects.ts";
import { createFollowers } from "./followers.ts";

const podOf = (name: string): Pod => ({
  metadata: { namespace: "default", name },
  spec: { containers: [], volumes: [{ name: "v", configMap: { name: "settings" } }] },
});
const settings = (value: string): ConfigMap => ({
  metadata: { namespace: "default", name: "settings" },
  data: { value },
});

const key = { namespace: "default", name: "settings" };

function setUp() {
  const clock = new FakeClock();
  const client = createFakeApiClient({ clock });
  const objects = createClusterObjects(client, async () => await Promise.resolve([]));
  const followers = createFollowers({ client, objects, clock, log: silentLogger });
  const asked = (): number => client.requests.filter(({ verb }) => verb === "get").length;
  const read = async (): Promise<string | undefined> =>
    (await followers.objects.configMap("default", "settings"))?.data?.["value"];
  return { client, followers, asked, read };
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => void setImmediate(resolve));
}

test("an object that a pod's volume follows is not asked for again", async () => {
  const { client, followers, asked, read } = setUp();
  client.put(resources.configMaps, settings("one"));
  assert.equal(await read(), "one");
  followers.follow(podOf("a"), () => undefined);
  await turns();
  assert.equal(await read(), "one");
  client.put(resources.configMaps, settings("two"));
  await turns();
  assert.equal(await read(), "two");
  assert.equal(asked(), 1);
  followers.close();
});

test("follow() tells of what changed since it was read, and not of what was read", async () => {
  const { client, followers, read } = setUp();
  client.put(resources.configMaps, settings("one"));
  const told: string[] = [];
  await read();
  followers.follow(podOf("a"), () => told.push("a"));
  await turns();
  assert.deepEqual(told, []);
  await client.patch(resources.configMaps, key, { type: "merge", body: { data: { value: "two" } } });
  await turns();
  assert.deepEqual(told, ["a"]);
  followers.close();
});

test("follow() tells all of an object of which two versions were read before it was watched", async () => {
  const { client, followers, read } = setUp();
  client.put(resources.configMaps, settings("one"));
  await read();
  client.put(resources.configMaps, settings("two"));
  await read();
  const told: string[] = [];
  followers.follow(podOf("a"), () => told.push("a"));
  followers.follow(podOf("b"), () => told.push("b"));
  await turns();
  assert.deepEqual(told, ["a", "b"]);
  followers.close();
});

test("an object that is not there is asked for each time", async () => {
  const { followers, asked, read } = setUp();
  followers.follow(podOf("a"), () => undefined);
  await turns();
  assert.equal(await read(), undefined);
  assert.equal(await read(), undefined);
  assert.equal(asked(), 2);
  followers.close();
});
