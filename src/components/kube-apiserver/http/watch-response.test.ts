import assert from "node:assert/strict";
import { test } from "node:test";
import { builtinResources } from "../../../api/builtin.ts";
import { createMemoryStore } from "../../../storage/index.ts";
import type { StoreEvent } from "../../../storage/index.ts";
import { servedResource } from "../resources/resource.ts";
import type { Representation } from "./negotiation.ts";
import { lineWriterOf } from "./watch-response.ts";

const plain: Representation = { form: "object", version: "v1", includeObject: "Metadata" };
const table: Representation = { ...plain, form: "table" };

/** Two changes of one ConfigMap. */
async function eventsOfStore() {
  const store = createMemoryStore();
  const definition = builtinResources().findKind("v1", "ConfigMap");
  assert.ok(definition !== undefined);
  const key = { resource: "configmaps", namespace: "default", name: "a" };
  const head = { kind: "ConfigMap", apiVersion: "v1" };
  await store.create(key, { ...head, metadata: { name: "a" } });
  await store.update(key, { ...head, metadata: { name: "a", labels: { app: "b" } } }, 1);
  const events: StoreEvent[] = [];
  store.watch("configmaps", 0, (event) => events.push(event));
  const [first, second] = events;
  assert.ok(first !== undefined && second !== undefined);
  const environment = { store, clock: { now: () => 0 }, strategyOf: () => ({}) };
  return { resource: servedResource(definition, environment as never), first, second };
}

test("lineWriterOf() gives all watchers of one form the same line of an event, and encodes once", async () => {
  const { resource, first, second } = await eventsOfStore();
  const change = (event: StoreEvent) => ({ type: event.type, stored: event.current, event });
  const line = lineWriterOf(resource, plain)(change(first), false);
  assert.deepEqual(JSON.parse(line.toString()), { type: "ADDED", object: first.current.object });
  for (let watcher = 0; watcher < 3; watcher += 1) {
    assert.equal(lineWriterOf(resource, { ...plain })(change(first), false), line);
  }
  const next = lineWriterOf(resource, plain)(change(second), false);
  assert.deepEqual(JSON.parse(next.toString()), { type: "MODIFIED", object: second.current.object });
});

test("lineWriterOf() keeps forms, types and first lines apart", async () => {
  const { resource, first } = await eventsOfStore();
  const change = { type: "ADDED", stored: first.current, event: first } as const;
  const lines = [
    lineWriterOf(resource, plain)(change, false),
    lineWriterOf(resource, plain)({ ...change, type: "DELETED" }, false),
    lineWriterOf(resource, table)(change, true),
    lineWriterOf(resource, table)(change, false),
  ].map(String);
  assert.equal(new Set(lines).size, lines.length);
  assert.match(lines[2] ?? "", /"columnDefinitions":\[\{/);
  assert.match(lines[3] ?? "", /"columnDefinitions":null/);
});
