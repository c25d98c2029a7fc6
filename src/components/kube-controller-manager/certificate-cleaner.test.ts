import assert from "node:assert/strict";
import { test } from "node:test";
import { resources } from "../../api/resources.ts";
import { settle } from "../../machinery/fake-clock.ts";
import { startCluster } from "./test-cluster.ts";

test("a request is removed an hour after it was denied, and a day after nobody decided", async () => {
  const cluster = await startCluster(["certificatesigningrequest-cleaner-controller"]);
  const { client, clock } = cluster;
  const spec = { request: "", signerName: "example.com/x" };
  const creationTimestamp = new Date(clock.now()).toISOString();
  const denied = { type: "Denied", status: "True", lastUpdateTime: creationTimestamp };
  client.put(resources.certificateSigningRequests, { metadata: { name: "waiting", creationTimestamp }, spec });
  client.put(resources.certificateSigningRequests, {
    metadata: { name: "denied", creationTimestamp },
    spec,
    status: { conditions: [denied] },
  });
  const left = (): readonly string[] => cluster.names(resources.certificateSigningRequests);
  await settle();
  assert.deepEqual(left().toSorted(), ["denied", "waiting"]);
  await clock.advance(3_600_001);
  await settle();
  assert.deepEqual(left(), ["waiting"]);
  await clock.advance(24 * 3_600_000);
  await settle();
  assert.deepEqual(left(), []);
  await cluster.stop();
});
