import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../../api/status.ts";
import { createMemoryStore } from "../../../storage/index.ts";
import type { RequestInfo } from "../request-info.ts";
import { nodeTarget } from "./proxy-target.ts";

test("a node's proxy leads to its kubelet, and with another port to what listens there", async () => {
  const store = createMemoryStore();
  const status = { addresses: [{ type: "InternalIP", address: "192.168.60.11" }] };
  const node = { metadata: { name: "node-1" }, spec: {}, status };
  await store.create({ resource: "nodes", namespace: "", name: "node-1" }, node);
  const target = (name: string) => nodeTarget(store, { name } as RequestInfo);
  assert.deepEqual(target("node-1"), { kind: "kubelet", node: "node-1" });
  assert.deepEqual(target("node-1:10250"), { kind: "kubelet", node: "node-1" });
  assert.deepEqual(target("https:node-1:10250"), { kind: "kubelet", node: "node-1" });
  assert.deepEqual(target("node-1:9100"), { kind: "port", host: "192.168.60.11", port: 9100, isTls: false });
  assert.deepEqual(target("https:node-1:9443"), { kind: "port", host: "192.168.60.11", port: 9443, isTls: true });
  assert.throws(
    () => target("node-2:9100"),
    (error) => error instanceof ApiError && error.code === 404,
  );
  assert.throws(
    () => target("node-1:http"),
    (error) => error instanceof ApiError && error.code === 400,
  );
});
